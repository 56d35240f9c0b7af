package truths

import (
	"testing"
	"time"

	"certdrift/internal/observation"
	"certdrift/internal/report"
	"certdrift/internal/target"
)

func leaf(print string) report.Address {
	return report.Address{Address: "192.0.2.1:443", Chain: []report.Certificate{{
		FingerprintSHA256: print, Subject: "CN=" + print, Issuer: "CN=CA", NotAfter: time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC),
	}}}
}

// scene is an endpoint behind a listener.
func scene(declared *target.Declared, attached []report.Attached, served ...string) report.Report {
	e := report.Endpoint{Environment: "production", Name: "api", URL: "https://api.example.org/", Declared: declared}
	for _, print := range served {
		e.Addresses = append(e.Addresses, leaf(print))
	}
	r := report.Report{Endpoints: []report.Endpoint{e}}
	if attached != nil {
		r.Listeners = []report.Listener{{Listener: "lb:443", Protocol: "HTTPS", Certificates: attached, Endpoints: []string{"production/api"}}}
	}
	return r
}

func TestMarks(t *testing.T) {
	good := report.Attached{ARN: "arn:good", Default: true, FingerprintSHA256: "aa"}
	stale := report.Attached{ARN: "arn:stale", Default: true, FingerprintSHA256: "bb"}
	sni := report.Attached{ARN: "arn:sni", Names: []string{"*.example.org"}, FingerprintSHA256: "cc"}
	unread := report.Attached{ARN: "arn:good", Default: true}
	for _, tt := range []struct {
		name                             string
		report                           report.Report
		declaredAttached, attachedServed Mark
	}{
		{"all agree", scene(&target.Declared{ARN: "arn:good"}, []report.Attached{good}, "aa", "aa"), Same, Same},
		{"the wrong one is attached, and served", scene(&target.Declared{ARN: "arn:good"}, []report.Attached{stale}, "bb"), Different, Same},
		{"the right one is attached, another served", scene(&target.Declared{ARN: "arn:good"}, []report.Attached{good}, "bb"), Same, Different},
		{"one address of two", scene(&target.Declared{ARN: "arn:good"}, []report.Attached{good}, "aa", "bb"), Same, Different},
		{"by SNI", scene(&target.Declared{ARN: "arn:sni"}, []report.Attached{stale, sni}, "cc"), Same, Same},
		{"what is served counts before what would cover", scene(&target.Declared{ARN: "arn:good"}, []report.Attached{good, sni}, "aa"), Same, Same},
		{"declared by fingerprint", scene(&target.Declared{FingerprintSHA256: "aa"}, []report.Attached{stale}, "bb"), Different, Same},
		{"no listener, by fingerprint", scene(&target.Declared{FingerprintSHA256: "aa"}, nil, "bb"), Unknown, Different},
		{"nothing declared", scene(nil, []report.Attached{good}, "aa"), Unknown, Same},
		{"body not read", scene(&target.Declared{ARN: "arn:good"}, []report.Attached{unread}, "aa"), Same, Unknown},
		{"nothing served", scene(&target.Declared{ARN: "arn:good"}, []report.Attached{good}), Same, Unknown},
		{"nothing attached", scene(&target.Declared{ARN: "arn:good"}, []report.Attached{}, "aa"), Unknown, Unknown},
	} {
		row := Rows(tt.report)[0]
		if row.DeclaredAttached != tt.declaredAttached || row.AttachedServed != tt.attachedServed {
			t.Errorf("%s: declared is %s as attached, attached %s as served", tt.name, row.DeclaredAttached.Word(), row.AttachedServed.Word())
		}
		if len(row.Attached) > 0 && row.Attached[0].Differs != (tt.declaredAttached == Different) {
			t.Errorf("%s: the difference is not marked", tt.name)
		}
	}
}

func TestFailuresStandInForCertificates(t *testing.T) {
	r := scene(nil, nil)
	for range 9 {
		r.Endpoints[0].Addresses = append(r.Endpoints[0].Addresses, report.Address{Address: "192.0.2.9:443", Failure: &report.Failure{
			Phase: observation.PhaseTLS, Kind: observation.Alert, Alert: "handshake_failure"}})
	}
	row := Rows(r)[0]
	if len(row.Served) != shownFailures || row.Served[0].Notes[0] != "192.0.2.9:443: tls alert (handshake_failure)" || !row.End.IsZero() {
		t.Errorf("%+v", row.Served)
	}
}

func TestCovers(t *testing.T) {
	for _, c := range []struct {
		name, host string
		want       bool
	}{
		{"api.example.org", "api.example.org", true}, {"API.example.org", "api.example.org", true}, {"*.example.org", "api.example.org", true},
		{"*.example.org", "a.b.example.org", false}, {"*.example.org", "example.org", false}, {"api.example.org", "ui.example.org", false},
	} {
		if got := covers(c.name, c.host); got != c.want {
			t.Errorf("covers(%q, %q) = %v", c.name, c.host, got)
		}
	}
}

func TestCommonName(t *testing.T) {
	for dn, want := range map[string]string{
		"CN=Example Root R1,O=Example": "Example Root R1", `O=a\,CN=no,CN=yes`: "yes", `CN=Acme\, Inc.`: "Acme, Inc.",
		"OU=only": "OU=only", "": "", `CN=a+OU=b`: "a",
	} {
		if got := CommonName(dn); got != want {
			t.Errorf("CommonName(%q) = %q, want %q", dn, got, want)
		}
	}
}
