package comparison

import (
	"encoding/pem"
	"os"
	"testing"
	"time"

	"certdrift/internal/observation"
	"certdrift/internal/report"
	"certdrift/internal/target"
	"certdrift/internal/topology"
)

const (
	unknown   = Mark(topology.NotCompared)
	same      = Mark(topology.Same)
	different = Mark(topology.Different)
)

// bodies are two certificates by the ARN that holds them.
func bodies(t *testing.T) map[string][]byte {
	t.Helper()
	out := map[string][]byte{}
	for arn, file := range map[string]string{"arn:good": "../testdata/api.pem", "arn:stale": "../testdata/ui.pem"} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		block, _ := pem.Decode(text)
		out[arn] = block.Bytes
	}
	return out
}

// scene is an endpoint behind a classic load balancer. Attached is an ARN, "" for none, "-" for no load balancer; served
// are the ARNs of the certificates that each address serves.
func scene(t *testing.T, declared *target.Declared, attached string, read bool, served ...string) report.Report {
	t.Helper()
	e := observation.Endpoint{Probed: true, Target: target.Endpoint{
		Environment: "production", Name: "api", URL: "https://api.example.org/", Kind: target.HTTPS, Host: "api.example.org", Port: 443, Declared: declared,
		LoadBalancer: &target.LoadBalancerRef{Name: "lb", Port: 443},
	}}
	round := observation.Round{ListenersRead: true, Finished: time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)}
	for _, arn := range served {
		e.Addresses = append(e.Addresses, observation.Address{Address: "192.0.2.1:443", TLS: &observation.TLS{Chain: [][]byte{bodies(t)[arn]}}})
	}
	if attached != "-" {
		l := observation.Listener{Port: 443, Protocol: "HTTPS"}
		if attached != "" {
			l.Certificates = []observation.Attachment{{ARN: attached, Default: true}}
		}
		round.LoadBalancers = []observation.LoadBalancer{{Kind: observation.Classic, Name: "lb", Listeners: []observation.Listener{l}}}
	}
	if read {
		for arn, body := range bodies(t) {
			round.Certificates = append(round.Certificates, observation.Certificate{ARN: arn, Chain: [][]byte{body}})
		}
	}
	round.Endpoints = []observation.Endpoint{e}
	return report.Build(report.Input{Round: round})
}

func TestMarks(t *testing.T) {
	good := &target.Declared{ARN: "arn:good"}
	for _, tt := range []struct {
		name                             string
		report                           report.Report
		declaredAttached, attachedServed Mark
	}{
		{"all agree", scene(t, good, "arn:good", true, "arn:good", "arn:good"), same, same},
		{"the wrong one is attached, and served", scene(t, good, "arn:stale", true, "arn:stale"), different, same},
		{"the right one is attached, another served", scene(t, good, "arn:good", true, "arn:stale"), same, different},
		{"one address of two", scene(t, good, "arn:good", true, "arn:good", "arn:stale"), same, different},
		{"no listener", scene(t, good, "-", true, "arn:stale"), unknown, different},
		{"nothing declared", scene(t, nil, "arn:good", true, "arn:good"), unknown, same},
		{"body not read", scene(t, good, "arn:good", false, "arn:good"), same, unknown},
		{"nothing served", scene(t, good, "arn:good", true), same, unknown},
		{"nothing attached", scene(t, good, "", true), different, unknown},
	} {
		row := Rows(tt.report)[0]
		if row.DeclaredAttached != tt.declaredAttached || row.AttachedServed != tt.attachedServed {
			t.Errorf("%s: declared and attached are %s, attached and served %s", tt.name, row.DeclaredAttached.Word(), row.AttachedServed.Word())
		}
		if len(row.Attached) > 0 && row.Attached[0].Differs != (tt.declaredAttached == different) {
			t.Errorf("%s: the difference is not marked", tt.name)
		}
	}
}

func TestFailuresStandInForCertificates(t *testing.T) {
	r := report.Report{Endpoints: []report.Endpoint{{Environment: "production", Name: "api"}}}
	for range 9 {
		r.Endpoints[0].Addresses = append(r.Endpoints[0].Addresses, report.Address{Address: "192.0.2.9:443", Failure: &report.Failure{
			Phase: observation.PhaseTLS, Kind: observation.Alert, Alert: "handshake_failure"}})
	}
	row := Rows(r)[0]
	if len(row.Served) != shownFailures || row.Served[0].Notes[0] != "192.0.2.9:443: tls alert (handshake_failure)" || !row.End.IsZero() {
		t.Errorf("%+v", row.Served)
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
