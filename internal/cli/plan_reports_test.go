package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"certdrift/internal/observation"
	"certdrift/internal/sim/account"
	"certdrift/internal/sim/pki"
)

// reported reads an input of a public report, moved to the region of the simulated account.
func reported(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", filepath.FromSlash(file)))
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(string(text), "eu-west-1", "us-west-2")
}

// reportedCertificates are the certificates of the reports: the wrong one, the declared one, and a further one, which is for the names
// given.
func reportedCertificates(t *testing.T, further ...string) map[string]*pki.Pair {
	t.Helper()
	now := time.Now()
	root, err := pki.Root("Reports Root", now)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]*pki.Pair{}
	for arn, names := range map[string][]string{tfWrong: {"www.example.net"}, tfGood: {"shop.example.com"}, tfOther: further} {
		pair, err := root.Leaf(now, names, pki.Valid(now.AddDate(0, 0, -30), now.AddDate(0, 0, 60)))
		if err != nil {
			t.Fatal(err)
		}
		out[arn] = pair
	}
	return out
}

// TestPlanOfReportsOverAnAccount holds the reports whose verdict depends on what the listener's list holds, or on what a further
// certificate is for: without AWS they are undecided (TestPlanOfReports, TestPlanOfReportedTerraform), with it they are what is right.
func TestPlanOfReportsOverAnAccount(t *testing.T) {
	const (
		plain    = "plan/F2-byte-order-mark/bom-plan.json"
		several  = "plan/F5-several-plans/t20-concatenated.json"
		noChange = "terraform/t30-noop-sni-elsewhere.json"
		indexes  = "terraform/t1-module-index.json"
		control  = "terraform/t1-control-no-index.json"
	)
	unmarked := func(s string) string { return strings.TrimPrefix(s, "\ufeff") }
	wrongDefault := func(s string) string { return strings.ReplaceAll(s, tfGood, tfWrong) }
	readySignals(t)
	for name, c := range map[string]struct {
		file     string
		edit     func(string) string
		attached []string // on port 443 of the load balancer shop; there is none yet if empty
		further  string   // what the further certificate is for
		status   int
		says     string
	}{
		"F2":                   {plain, nil, []string{tfGood}, "api.example.com", 1, "shop.example.com would not be covered by"},
		"F2: without the mark": {plain, unmarked, []string{tfGood}, "api.example.com", 1, "shop.example.com would not be covered by"},
		"F2: the declared certificate is in the list": {plain, nil, []string{tfOther, tfGood}, "api.example.com", 0, "changes the default certificate"},
		"F4: the declared certificate is in the list": {noChange, nil, []string{tfWrong, tfGood}, "api.example.com", 0, "unchanged"},
		"F4: the list lacks it":                       {noChange, nil, []string{tfWrong, tfOther}, "api.example.com", 1, "shop.example.com would not be covered by"},
		"F5":                                          {several, nil, []string{tfGood}, "api.example.com", 1, "shop.example.com would not be covered by"},
		"F5: the declared certificate is in the list": {several, nil, []string{tfOther, tfGood}, "api.example.com", 0, "shop:443"},
		"F11": {indexes, nil, nil, "api.example.com", 0, "1 listener: 1 new."},
		"F11: the further one is for the name, too":       {indexes, nil, nil, "shop.example.com", 1, "the configuration declares another certificate"},
		"F11: a wrong default":                            {indexes, wrongDefault, nil, "api.example.com", 1, "shop.example.com would not be covered by"},
		"F11, control":                                    {control, nil, nil, "api.example.com", 0, "1 listener: 1 new."},
		"F11, control: the further one is for it, too":    {control, nil, nil, "shop.example.com", 1, "the configuration declares another certificate"},
		"F11, control: a wrong default":                   {control, wrongDefault, nil, "api.example.com", 1, "shop.example.com would not be covered by"},
		"F11: a wrong default, and the further one is it": {indexes, wrongDefault, nil, "shop.example.com", 1, "the configuration declares another certificate"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := &deploy{account: account.New(account.Options{})}
				for arn, pair := range reportedCertificates(t, c.further) {
					d.account.AddCertificate(arn[strings.LastIndex(arn, "/")+1:], pair)
				}
				if len(c.attached) > 0 {
					lb := account.LoadBalancer{Kind: observation.Application, Name: "shop", Listeners: []account.Listener{{Port: 443, Protocol: "HTTPS"}}}
					for _, arn := range c.attached {
						lb.Listeners[0].Certificates = append(lb.Listeners[0].Certificates, strings.ReplaceAll(arn, "eu-west-1", "us-west-2"))
					}
					d.account.AddLoadBalancer(lb)
				}
				text := reported(t, c.file)
				if c.edit != nil {
					text = strings.ReplaceAll(c.edit(strings.ReplaceAll(text, "us-west-2", "eu-west-1")), "eu-west-1", "us-west-2")
				}
				config := "version: 1\nload_balancers: {regions: [us-west-2]}\nenvironments:\n  production:\n    endpoints:\n      - {name: shop, url: https://shop.example.com, " +
					"load_balancer: {name: shop}, certificate: {arn: \"" + strings.ReplaceAll(tfGood, "eu-west-1", "us-west-2") + "\"}}\n"
				d.expect(t, config, text, c.status, c.says, "")
			})
		})
	}
}

// TestPlanOfReportsWithFiles: without AWS, files say what the certificates are for, and a listener made by the plan is decided.
func TestPlanOfReportsWithFiles(t *testing.T) {
	for further, want := range map[string]int{"api.example.com": 0, "shop.example.com": 1} {
		for _, file := range []string{"t1-module-index.json", "t1-control-no-index.json"} {
			dir := t.TempDir()
			config := strings.Replace(tfConfig, "%s", tfByName, 1) + "certificates:\n"
			for arn, pair := range reportedCertificates(t, further) {
				id := arn[strings.LastIndex(arn, "/")+1:]
				write(t, filepath.Join(dir, id+".pem"), string(pair.PEM()))
				config += "  - {arn: \"" + arn + "\", file: " + id + ".pem}\n"
			}
			write(t, filepath.Join(dir, "certdrift.yaml"), config)
			status, stdout, stderr := run(t, nil, nil, "plan", "-c", filepath.Join(dir, "certdrift.yaml"), "-f", filepath.Join("testdata", "terraform", file), "--offline")
			if status != want || !strings.Contains(stdout, "shop:443") {
				t.Errorf("%s, the further certificate is for %s: exit status %d, want %d\n%s%s", file, further, status, want, stdout, stderr)
			}
		}
	}
}

// TestPlanOfAMarkedPlan: a byte order mark changes nothing of what is said.
func TestPlanOfAMarkedPlan(t *testing.T) {
	marked := reported(t, "plan/F2-byte-order-mark/bom-plan.json")
	bare, found := strings.CutPrefix(marked, "\ufeff")
	if !found {
		t.Fatal("the input has lost its mark")
	}
	for _, by := range []string{tfByName, tfByService} {
		withMark, said := planTerraform(t, by, marked)
		without, want := planTerraform(t, by, bare)
		if withMark != without || said != want {
			t.Errorf("exit status %d with the mark, %d without\n%s\nwithout it:\n%s", withMark, without, said, want)
		}
	}
}
