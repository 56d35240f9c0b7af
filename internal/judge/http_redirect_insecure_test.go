package judge

import (
	"testing"

	"certdrift/internal/finding"
	"certdrift/internal/target"
)

func TestHTTPRedirectInsecure(t *testing.T) {
	s := newScene(t)
	a := redirecting(s, 200, "a.example.org")
	a.HTTP.Hops[0].Insecure, a.HTTP.Hops[0].Kind, a.HTTP.Hops[0].URL = true, target.HTTP, "http://a.example.org/"
	a.HTTP.Hops[0].Addresses[0].TLS = nil
	s.HTTPS("api", host, a)
	s.only(finding.HTTPRedirectInsecure)
	s.one(finding.HTTPRedirectInsecure, finding.Warning)
	a.HTTP.Hops[0].Insecure = false
	s.only()
	a.HTTP.Loop, a.HTTP.LoopInsecure, a.HTTP.Location = true, true, "http://a.example.org/"
	s.only(finding.HTTPRedirectLoop, finding.HTTPRedirectInsecure)
	a.HTTP.LoopInsecure = false
	s.only(finding.HTTPRedirectLoop)
}
