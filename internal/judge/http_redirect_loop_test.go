package judge

import (
	"testing"

	"certdrift/internal/finding"
)

func TestHTTPRedirectLoop(t *testing.T) {
	s := newScene(t)
	a := redirecting(s, 302, "a.example.org", "b.example.org")
	a.HTTP.Loop = true
	s.https("api", host, a)
	s.only(finding.HTTPRedirectLoop) // and no http-status for the redirects on the way
	s = newScene(t)
	s.https("api", host, redirecting(s, 200, "a.example.org"))
	s.none(finding.HTTPRedirectLoop)
}
