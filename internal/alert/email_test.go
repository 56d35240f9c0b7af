package alert

import (
	"strings"
	"testing"
	"unicode/utf8"

	"certdrift/internal/finding"
	"certdrift/internal/incident"

	"pgregory.net/rapid"
)

// Prose is broken at emailWidth; only what is meant to be copied is longer.
func TestMailsAreNarrow(t *testing.T) {
	for _, k := range kinds() {
		for i, line := range strings.Split(Compose(k.notice, options).Email, "\n") {
			if i == 0 || strings.HasPrefix(lastField(line), "https://") || strings.HasPrefix(line, "  Incident ") || utf8.RuneCountInString(line) <= emailWidth || isCommand(strings.TrimSpace(line)) {
				continue
			}
			if word := lastField(line); !strings.HasPrefix(word, "arn:") && !strings.Contains(word, ":arn:") {
				t.Errorf("%s: %d characters in %q", k.name, utf8.RuneCountInString(line), line)
			}
		}
	}
}

func lastField(line string) string {
	fields := append([]string{""}, strings.Fields(line)...)
	return fields[len(fields)-1]
}

// A command stands alone on its line, whole, and each line of it by itself.
func TestCommandsStayWhole(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := drifted()
		var want []string
		for range rapid.IntRange(1, 3).Draw(t, "lines") {
			want = append(want, "aws elbv2 "+strings.Join(rapid.SliceOfN(rapid.StringMatching(`[a-z0-9:/=-]{1,60}`), 1, 30).Draw(t, "words"), " "))
		}
		f := n.Findings[0]
		f.Evidence = finding.Evidence{"undo": strings.Join(want, "\n")}
		switch rapid.IntRange(0, 2).Draw(t, "remedy") {
		case 0:
			f.Remedy = "Put it back:\n" + strings.Join(want, "\n") + "\nThen fix the manifest."
		case 1:
			f.Remedy = "Put it back: " + want[0]
		}
		n.Findings = []finding.Finding{f}
		lines := strings.Split(Compose(n, options).Email, "\n")
		for _, command := range want {
			found := 0
			for _, line := range lines {
				if strings.TrimSpace(line) == command {
					found++
				}
			}
			if found == 0 {
				t.Fatalf("%q is not alone on a line of\n%s", command, strings.Join(lines, "\n"))
			}
		}
	})
}

func TestCommandsWithinARemedy(t *testing.T) {
	n := drifted()
	n.Findings[0].Evidence = finding.Evidence{}
	n.Findings[0].Remedy = "Check the record: dig +short a.example.org A; dig +short a.example.org AAAA. Restore it, or: fix the resolver.\n" +
		"See what it would do: certdrift plan -f k8s/api.yaml"
	mail := Compose(n, options).Email
	for _, line := range []string{
		"  Check the record:", "    dig +short a.example.org A; dig +short a.example.org AAAA", "  Restore it, or: fix the resolver.",
		"    certdrift plan -f k8s/api.yaml",
	} {
		if !strings.Contains(mail, "\n"+line+"\n") {
			t.Errorf("%q is no line of\n%s", line, mail)
		}
	}
}

func TestAnEndlessCommandIsLeftOut(t *testing.T) {
	n := drifted()
	n.Findings[0].Remedy = ""
	n.Findings[0].Evidence["undo"] = "aws elb " + strings.Repeat("x", maxCommand)
	if email := Compose(n, options).Email; strings.Contains(email, "xxxx") || !strings.Contains(email, "too long for an email") {
		t.Errorf("the email shows part of a command:\n%s", email)
	}
}

func TestWhatDiffersIsMarked(t *testing.T) {
	right, wrong := map[string]any{"arn": "arn:a:b:c:d:e/1", "fingerprint_sha256": "11"}, map[string]any{"arn": "arn:a:b:c:d:e/2", "fingerprint_sha256": "22"}
	renewed := map[string]any{"arn": "arn:a:b:c:d:e/1", "fingerprint_sha256": "33"}
	for name, test := range map[string]struct {
		evidence finding.Evidence
		want     string // the sides that are marked
	}{
		"all the same":              {finding.Evidence{"declared": right, "attached": right, "served": right}, ""},
		"attached and served wrong": {finding.Evidence{"declared": right, "attached": wrong, "served": wrong}, "attached served"},
		"only the manifest wrong":   {finding.Evidence{"declared": right, "manifest": wrong, "attached": right}, "manifest"},
		"one of several attached":   {finding.Evidence{"declared": right, "attached": []any{wrong, right}}, ""},
		"one of several served":     {finding.Evidence{"declared": right, "served": []any{wrong, right}}, "served"},
		"renewed under its ARN":     {finding.Evidence{"declared": right, "attached": renewed}, "attached"},
		"ARN alone is declared":     {finding.Evidence{"declared": map[string]any{"arn": "arn:a:b:c:d:e/1"}, "attached": renewed}, ""},
		"nothing in common":         {finding.Evidence{"declared": map[string]any{"issuer": "CN=A"}, "served": wrong}, ""},
		"nothing attached":          {finding.Evidence{"declared": right, "attached": map[string]any{"none": true, "protocol": "TCP"}}, "attached"},
	} {
		var got []string
		f := finding.Finding{Evidence: test.evidence}
		f.Lift()
		for _, side := range sides(f) {
			if side.differs {
				got = append(got, side.name)
			}
		}
		if strings.Join(got, " ") != test.want {
			t.Errorf("%s: marked %q, want %q", name, got, test.want)
		}
	}
}

// A text message begins with how clients are affected, where a probe has seen it.
func TestTextMessagesSayHowClientsAreAffected(t *testing.T) {
	of := func(fs ...finding.Finding) incident.Notice {
		n := drifted()
		n.Record.Code, n.Findings = fs[0].Code, fs
		return n
	}
	one := func(code finding.Code, e finding.Evidence) finding.Finding {
		f := finding.Finding{Code: code, Severity: finding.Critical, Endpoint: "api", Evidence: e}
		f.Lift()
		return f
	}
	by := map[string]any{"name": "Operator", "tool": "AWS console", "standing": "confirmed"}
	someAddress := one(finding.CertExpired, nil)
	someAddress.Address = "192.0.2.1:443"
	for name, test := range map[string]struct {
		notice incident.Notice
		want   string
	}{
		"expired":           {of(one(finding.CertExpired, nil)), "api +39: clients are rejecting the certificate: it has expired"},
		"at one address":    {of(someAddress), "api +39: clients are rejecting the certificate at 192.0.2.1:443: it has expired"},
		"refused":           {of(one(finding.ConnectRefused, nil)), "clients can't connect: connection refused"},
		"wrong, proven":     {of(one(finding.DriftAttached, finding.Evidence{"changed_by": by}), one(finding.CertExpired, nil)), "clients are rejecting the certificate: it has expired; wrong certificate attached by Operator"},
		"wrong, not proven": {of(one(finding.DriftAttached, finding.Evidence{"changed_by": by})), "api +39: wrong certificate attached by Operator"},
		"a deploy to come":  {of(one(finding.DriftManifest, finding.Evidence{"changed_by": by, "would": []string{"x"}})), "the next deploy will break clients, undoing a change by Operator"},
		"not yet":           {of(one(finding.CertExpiring, nil)), "api +39: certificate expiring"},
		"http":              {of(one(finding.HTTPStatus, nil)), "clients get errors: unexpected HTTP status"},
	} {
		if sms := Compose(test.notice, options).SMS; !strings.Contains(sms, test.want) {
			t.Errorf("%s: %q lacks %q", name, sms, test.want)
		}
	}
}

// What a section has said the evidence does not say again.
func TestEvidenceIsNotRepeated(t *testing.T) {
	n := drifted()
	lb := n.Findings[0].Evidence["arn"]
	n.Findings[0].Evidence["load_balancer_arn"] = lb
	n.Findings[0].Evidence["file"], n.Findings[0].Evidence["line"] = "k8s/api.yaml", 7
	n.Findings[0].Remedy = "Fix k8s/api.yaml:7."
	n.Findings[0].Lift()
	_, evidence, _ := strings.Cut(Compose(n, options).Email, "\nEVIDENCE\n")
	for _, no := range []string{"load balancer arn", "  file", "  line", "  undo", "  declared"} {
		if strings.Contains(evidence, no) {
			t.Errorf("%q is said again:\n%s", no, evidence)
		}
	}
	for _, yes := range []string{"account ", "region ", "arn "} {
		if !strings.Contains(evidence, yes) {
			t.Errorf("%q is missing:\n%s", yes, evidence)
		}
	}
}

// Whatever a remedy says, its email says too: splitting it into prose and commands loses nothing but a full stop.
func TestPiecesKeepTheText(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		word := rapid.SampledFrom([]string{"look:", "aws", "elb", "dig", "Then.", "certdrift", "x: y", "A.", "B", "openssl s_client", "a:"})
		line := strings.Join(rapid.SliceOf(word).Draw(t, "words"), " ")
		var got []string
		for _, p := range pieces(line) {
			got = append(got, strings.Fields(p.text)...)
		}
		want := strings.Fields(line)
		if len(got) != len(want) {
			t.Fatalf("%q became %q", line, got)
		}
		for i := range want {
			if got[i] != want[i] && got[i]+"." != want[i] {
				t.Fatalf("%q became %q", line, got)
			}
		}
	})
}
