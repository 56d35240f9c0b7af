package incident

import (
	"slices"
	"strings"
	"testing"

	"certdrift/internal/finding"
	"certdrift/internal/policy"
)

const behindA1 = "listener:a1:443@us-west-2/111122223333"

// drifting are the findings of one wrong certificate on a listener, as the rules make them.
func drifting() []finding.Finding {
	return []finding.Finding{
		{Code: finding.CertExpired, Severity: finding.Critical, Environment: "production", Endpoint: "api", Cause: behindA1, Remedy: "Renew it."},
		{Code: finding.ListenerCertExpired, Severity: finding.Critical, Environment: "production", Endpoint: "api", Listener: "a1:443", Cause: behindA1, Remedy: "Import another."},
		{Code: finding.DriftManifest, Severity: finding.Warning, Environment: "production", Endpoint: "api", Listener: "a1:443", Cause: behindA1,
			Subject: finding.Subject{Source: finding.Source{File: "k8s/api.yaml", Line: 9}}, Remedy: "Fix k8s/api.yaml:9 before the next apply."},
		{Code: finding.DriftAttached, Severity: finding.Critical, Environment: "production", Endpoint: "api", Listener: "a1:443", Cause: behindA1,
			Remedy: "Reattach the declared certificate:\naws elb …\nThen fix k8s/api.yaml:9."},
		{Code: finding.ListenerPolicyOld, Severity: finding.Warning, Environment: "production", Listener: "a1:443", Cause: behindA1, Remedy: "Choose a newer policy."},
	}
}

func TestProblemsPutTheCauseFirst(t *testing.T) {
	fs := append(drifting(),
		finding.Finding{Code: finding.ConnectRefused, Severity: finding.Critical, Environment: "staging", Endpoint: "ui", Remedy: "Start it."},
		finding.Finding{Code: finding.CertNameMismatch, Severity: finding.Critical, Environment: "production", Endpoint: "api", Cause: "host:api"},
		finding.Finding{Code: finding.ACMRenewalIneligible, Severity: finding.Info, Environment: "production"},
	)
	all := Problems(fs)
	if len(all) != 2 || all[0].Cause().Code != finding.DriftAttached || len(all[0].Findings) != 6 || all[1].Cause().Code != finding.ConnectRefused {
		t.Fatalf("%+v", all)
	}
	if p := all[0]; p.Environment != "production" || p.Severity() != finding.Critical || !slices.Equal(p.Affects(), []string{"production/api"}) {
		t.Errorf("%+v", p)
	}
}

// What fixes the cause is said once, and nothing that would fix it in another way. What is another matter keeps its remedy.
func TestRemediesDoNotContradictEachOther(t *testing.T) {
	fs := drifting()
	if got, want := Problems(fs)[0].Remedies(), []string{fs[3].Remedy, "Choose a newer policy."}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	served := append(drifting(), finding.Finding{Code: finding.DriftServed, Severity: finding.Critical, Environment: "production", Endpoint: "api", Listener: "a1:443",
		Cause: behindA1, Remedy: "Attach the attached certificate once more."})
	if got := Problems(served)[0].Remedies(); slices.Contains(got, served[5].Remedy) {
		t.Errorf("two certificates to attach to one listener: %q", got)
	}
	fs[3].Remedy = "Reattach the declared certificate."
	if got := Problems(fs)[0].Remedies(); !slices.Contains(got, fs[2].Remedy) {
		t.Errorf("the manifest is not to be fixed: %q", got)
	}
	fs[3].Evidence = finding.Evidence{"stale": "declared"}
	if got := strings.Join(Problems(fs)[0].Remedies(), " "); !strings.Contains(got, "Renew it.") {
		t.Errorf("the attached certificate stays, and nobody renews it: %q", got)
	}
}

func TestRemediesOfManyEndpointsAreOne(t *testing.T) {
	var fs []finding.Finding
	for _, name := range []string{"a", "b", "c"} {
		fs = append(fs,
			finding.Finding{Code: finding.CertExpired, Severity: finding.Critical, Environment: "e", Endpoint: name, Cause: "certificate:1", Remedy: "Renew it, for " + name + "."},
			finding.Finding{Code: finding.CertUntrusted, Severity: finding.Critical, Environment: "e", Endpoint: name, Cause: "certificate:1", Remedy: "Send the chain, for " + name + "."})
	}
	all := Problems(fs)
	if len(all) != 1 || len(all[0].Affects()) != 3 {
		t.Fatalf("%+v", all)
	}
	if got := all[0].Remedies(); len(got) != 2 {
		t.Errorf("%q", got)
	}
}

// TestProblemsAreTheIncidents: a round that nothing is remembered for has the same incidents as problems.
func TestProblemsAreTheIncidents(t *testing.T) {
	fs := append(drifting(), finding.Finding{Code: finding.CertExpired, Severity: finding.Critical, Environment: "staging", Endpoint: "api", Cause: "certificate:x"})
	records, _ := Advance(Input{Policy: policy.DefaultAlerting(), Findings: fs, StateUnread: true})
	problems := Problems(fs)
	if len(records) != len(problems) {
		t.Fatalf("%d incidents, %d problems", len(records), len(problems))
	}
	for _, r := range records {
		if !slices.ContainsFunc(problems, func(p Problem) bool { return p.Cause().Code == r.Code && p.Environment == r.Environment }) {
			t.Errorf("no problem is %s of %s", r.Code, r.Environment)
		}
	}
}
