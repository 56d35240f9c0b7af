package judge

import (
	"strings"
	"testing"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
)

func TestHTTPRedirectLoop(t *testing.T) {
	s := newScene(t)
	a := redirecting(s, 302, "a.example.org", "b.example.org")
	a.HTTP.Loop = true
	s.HTTPS("api", host, a)
	s.only(finding.HTTPRedirectLoop) // and no http-status for the redirects on the way
	s = newScene(t)
	s.HTTPS("api", host, redirecting(s, 200, "a.example.org"))
	s.none(finding.HTTPRedirectLoop)
}

// TestHTTPRedirectLoopForACookie: a loop that a cookie would have ended says what became of the cookie.
func TestHTTPRedirectLoopForACookie(t *testing.T) {
	for _, c := range []struct {
		cookies         []observation.Cookie
		summary, remedy string
	}{
		{nil, "redirects endlessly", "If a proxy or load balancer"},
		{[]observation.Cookie{{Name: "seen", Unsent: observation.CookieInsecure}, {Name: "b"}}, `redirects endlessly; clients don't send back the cookie that it sets: "seen" (Secure, but set over plain HTTP)`, "set it so that clients send it back"},
		{[]observation.Cookie{{Name: "a", Unsent: observation.CookieDomain}, {Name: "b", Unsent: observation.CookiePath}}, `redirects endlessly; clients don't send back the cookies that it sets: "a" (its Domain does not include the host that sets it), "b" (for another path than the redirect leads to)`, "Path=/"},
		{[]observation.Cookie{{Name: "seen"}}, `redirects endlessly, although clients send back the cookie that it sets: "seen"`, "session affinity"},
	} {
		s := newScene(t)
		a := redirecting(s, 302, "a.example.org")
		a.HTTP.Loop, a.HTTP.Cookies = true, c.cookies
		s.HTTPS("api", host, a)
		s.only(finding.HTTPRedirectLoop)
		f := s.one(finding.HTTPRedirectLoop, finding.Critical)
		if !strings.HasSuffix(f.Summary, c.summary) || !strings.Contains(f.Remedy, c.remedy) || (c.cookies == nil) != (f.Evidence["cookies"] == nil) {
			t.Errorf("got %q, %q, %v", f.Summary, f.Remedy, f.Evidence)
		}
	}
	for _, why := range []observation.CookieFault{
		observation.CookieInsecure, observation.CookieDomain, observation.CookieSuffix, observation.CookiePrefix, observation.CookieExpired,
		observation.CookieTooLarge, observation.CookieSecureOnly, observation.CookieHost, observation.CookiePath,
	} {
		if words := cookieWords(why); words == "" || words == cookieWords("new") {
			t.Errorf("%s has no words of its own", why)
		}
	}
}
