package judge

import (
	"strings"
	"testing"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
	"certdrift/internal/target"
)

func TestHTTPStatus(t *testing.T) {
	for _, c := range []struct {
		status int
		expect []int
		bad    bool
	}{
		{200, nil, false}, {204, nil, false}, {299, nil, false}, {301, nil, true}, {404, nil, true}, {503, nil, true},
		{401, []int{401}, false}, {200, []int{401, 403}, true}, {301, []int{301}, false},
	} {
		s := newScene(t)
		a := ok("10.0.0.1", s.Leaf(host))
		a.HTTP.Status = c.status
		s.HTTPS("api", host, a).Target.Expect.Status = c.expect
		if !c.bad {
			s.only()
			continue
		}
		s.only(finding.HTTPStatus)
		f := s.one(finding.HTTPStatus, finding.Critical)
		if f.Evidence["status"] != c.status || f.Evidence["expected"] == "" {
			t.Errorf("evidence %v", f.Evidence)
		}
	}
}

func TestHTTPStatusOf304IsNoRedirect(t *testing.T) {
	s := newScene(t)
	a := ok("10.0.0.1", s.Leaf(host))
	a.HTTP.Status = 304
	s.HTTPS("api", host, a)
	if f := s.one(finding.HTTPStatus, finding.Critical); strings.Contains(f.Remedy, "redirect") {
		t.Errorf("remedy %q", f.Remedy)
	}
}

// redirecting answers 301 and leads over hops to a last one that answers status.
func redirecting(s *scene, status int, hops ...string) observation.Address {
	s.t.Helper()
	a := ok("10.0.0.1", s.Leaf(host))
	a.HTTP.Status = 301
	for i, h := range hops {
		answer := ok("10.0.1.1", s.Leaf(h))
		answer.HTTP.Status = 302
		if i == len(hops)-1 {
			answer.HTTP.Status = status
		}
		a.HTTP.Hops = append(a.HTTP.Hops, observation.Hop{
			URL: "https://" + h + "/", Kind: target.HTTPS, Host: h, Port: 443,
			DNS: observation.DNS{Addresses: []string{"10.0.1.1"}}, Addresses: []observation.Address{answer},
		})
	}
	return a
}

func TestHTTPStatusIsTheLastHops(t *testing.T) {
	s := newScene(t)
	s.HTTPS("api", host, redirecting(s, 200, "a.example.org", "b.example.org"))
	s.only()
	s = newScene(t)
	s.HTTPS("api", host, redirecting(s, 500, "a.example.org", "b.example.org"))
	s.only(finding.HTTPStatus)
	if f := s.one(finding.HTTPStatus, finding.Critical); f.Subject.Hop != "https://b.example.org/" || !strings.Contains(f.Summary, "b.example.org") {
		t.Errorf("%+v", f)
	}
}

func TestHTTPStatusHidesTheQuery(t *testing.T) {
	s := newScene(t)
	a := ok("10.0.0.1", s.Leaf(host))
	a.HTTP.Status = 500
	s.HTTPS("api", host, a).Target.URL = "https://api.example.org/v1?token=abc#x"
	if f := s.one(finding.HTTPStatus, finding.Critical); strings.Contains(f.Summary, "abc") || !strings.Contains(f.Summary, "/v1") {
		t.Errorf("summary %q", f.Summary)
	}
}

// TestHTTPStatusOfPlainHTTPToATLSPort: the answer itself says what is wrong, and the remedy goes by it.
func TestHTTPStatusOfPlainHTTPToATLSPort(t *testing.T) {
	for _, excerpt := range []string{
		`<html>\x0d\x0a<head><title>400 The plain HTTP request was sent to HTTPS port</title></head>`,
		`Client sent an HTTP request to an HTTPS server.\x0a`,
	} {
		s := newScene(t)
		a := ok("10.0.0.1", s.Leaf(host))
		a.HTTP.Status, a.HTTP.Excerpt = 400, excerpt
		s.HTTPS("api", host, a).Target.Service = "production/api"
		if f := s.one(finding.HTTPStatus, finding.Critical); !strings.Contains(f.Remedy, "aws-load-balancer-backend-protocol") {
			t.Errorf("behind a listener: %q", f.Remedy)
		}
		s = newScene(t)
		a.TLS = nil
		s.HTTPS("api", host, a).Target.Kind = target.HTTP
		if f := s.one(finding.HTTPStatus, finding.Critical); !strings.Contains(f.Remedy, "https URL") {
			t.Errorf("by plain HTTP: %q", f.Remedy)
		}
	}
}

// TestHTTPStatusOfARedirectTooMany: more redirects than expect.redirects are the finding, with where the next one leads.
func TestHTTPStatusOfARedirectTooMany(t *testing.T) {
	for _, c := range []struct {
		hops []string
		want string
	}{
		{nil, "returns 301, a redirect to \"https://c.example.org/\" (expected no redirect)"},
		{[]string{"a.example.org"}, "returns 302, a redirect to \"https://c.example.org/\" (expected at most 1 redirect)"},
		{[]string{"a.example.org", "b.example.org"}, "returns 302, a redirect to \"https://c.example.org/\" (expected at most 2 redirects)"},
	} {
		s := newScene(t)
		a := redirecting(s, 302, c.hops...)
		a.HTTP.Unfollowed, a.HTTP.Location = true, "https://c.example.org/"
		s.HTTPS("api", host, a)
		s.only(finding.HTTPStatus)
		f := s.one(finding.HTTPStatus, finding.Critical)
		if !strings.HasSuffix(f.Summary, c.want) || !strings.Contains(f.Remedy, "expect.redirects") || f.Evidence["expected_redirects"] != len(c.hops) {
			t.Errorf("got %q %v", f.Summary, f.Evidence)
		}
	}
}
