package report_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
	"certdrift/internal/report"
	"certdrift/internal/target"
)

func TestRevocation(t *testing.T) {
	now := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	crl := func(index int, change func(*observation.Revocation)) observation.Revocation {
		r := observation.Revocation{Index: index, Source: observation.CRL, URL: "http://ca.test/c.crl", Status: observation.Good, Signed: true, NextUpdate: now.Add(time.Hour)}
		change(&r)
		return r
	}
	silent := crl(0, func(r *observation.Revocation) {
		r.Status, r.Signed, r.Detail = observation.NoAnswer, false, "status 500\x1b"
	})
	late := crl(0, func(r *observation.Revocation) {
		r.Source, r.URL, r.Status, r.Signed, r.Detail = observation.OCSP, "http://ca.test/o", observation.NoAnswer, false, "no answer"
	})
	stale := crl(1, func(r *observation.Revocation) { r.NextUpdate = now.Add(-48 * time.Hour) })
	staleRevoked := crl(1, func(r *observation.Revocation) { r.Status, r.NextUpdate = observation.Revoked, now.Add(-48*time.Hour) })
	good := crl(0, func(r *observation.Revocation) { r.Source = observation.OCSP })
	staple := crl(0, func(r *observation.Revocation) {
		r.Source, r.Signed, r.Status = observation.Staple, false, observation.NoAnswer
	})
	for name, c := range map[string]struct {
		answers []observation.Revocation
		says    string
	}{
		"nothing asked":      {nil, ""},
		"good":               {[]observation.Revocation{good}, ""},
		"no answer":          {[]observation.Revocation{silent}, `revocation status unknown: certificate 1 (crl http://ca.test/c.crl: status 500\x1b)`},
		"two don't answer":   {[]observation.Revocation{silent, late}, `(crl http://ca.test/c.crl: status 500\x1b; ocsp http://ca.test/o: no answer)`},
		"another answered":   {[]observation.Revocation{silent, good}, ""},
		"stale":              {[]observation.Revocation{good, stale}, "certificate 2 (crl http://ca.test/c.crl: out of date since 2026-10-30)"},
		"stale, yet revoked": {[]observation.Revocation{staleRevoked}, ""},
		"a bad staple":       {[]observation.Revocation{staple}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			r := report.Build(report.Input{At: now, FailOn: finding.Critical, Round: observation.Round{Endpoints: []observation.Endpoint{{
				Target: target.Endpoint{Environment: "test", Name: "api"}, Probed: true,
				Addresses: []observation.Address{{Address: "192.0.2.1:443", TLS: &observation.TLS{Revocation: c.answers}}},
			}}}})
			if got := r.Endpoints[0].Addresses[0].Revocation; len(got) != len(c.answers) || got == nil {
				t.Errorf("the document has %v", got)
			}
			for _, format := range []string{"text.txt", "markdown.md", "junit.xml", "github.txt", "sarif.sarif"} {
				out := strings.Join(strings.Fields(render(t, writers()[format], r)), " ") // however its lines are folded
				if told := strings.Contains(out, "revocation status unknown: certificate"); told != (c.says != "") {
					t.Errorf("%s says\n%s", format, out)
				}
				if format == "text.txt" && !strings.Contains(out, c.says) {
					t.Errorf("the text says\n%s", out)
				}
			}
		})
	}
}

// A redirect's hop is asked about too.
func TestRevocationOfAHop(t *testing.T) {
	hop := observation.Address{TLS: &observation.TLS{Revocation: []observation.Revocation{{Source: observation.OCSP, URL: "http://ca.test/o", Status: observation.NoAnswer, Detail: "silence"}}}}
	r := report.Build(report.Input{Round: observation.Round{Endpoints: []observation.Endpoint{{
		Target: target.Endpoint{Environment: "test", Name: "api"}, Probed: true,
		Addresses: []observation.Address{{HTTP: &observation.HTTP{Status: 302, Hops: []observation.Hop{{Addresses: []observation.Address{hop}}}}}},
	}}}})
	want := report.Note{"test/api", "revocation status unknown: certificate 1 (ocsp http://ca.test/o: silence)"}
	if got := r.Notes(); !slices.Equal(got, []report.Note{want}) {
		t.Errorf("the notes are %q", got)
	}
}

func TestWithheld(t *testing.T) {
	r := report.Build(report.Input{Round: observation.Round{Endpoints: []observation.Endpoint{{
		Target: target.Endpoint{Environment: "test", Name: "api"}, Probed: true,
		Addresses: []observation.Address{{Withheld: "not for this server"}, {Withheld: "not for this server"}},
	}}}})
	if text := strings.Join(strings.Fields(render(t, writers()["text.txt"], r)), " "); strings.Count(text, "no request was sent: not for this server") != 1 {
		t.Errorf("the text says\n%s", text)
	}
}
