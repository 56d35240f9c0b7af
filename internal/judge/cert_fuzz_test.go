package judge

import (
	"crypto/x509"
	"fmt"
	"testing"

	"certdrift/internal/finding"
)

// FuzzJudgeChain changes bytes of a served chain: whatever comes of it, no rule fails, nothing unsafe gets into a finding,
// the same observation gives the same findings, and what a client would refuse is never called healthy.
func FuzzJudgeChain(f *testing.F) {
	s := newShop(f, func(c *x509.Certificate) { c.PermittedDNSDomains = []string{"example.org"} })
	sound := s.serve(f, mustStapleExt(), aia("http://ca.example.net/"))
	for _, place := range []uint16{0, 4, 40, 120, 200, 300, 400} {
		f.Add(uint8(0), place, byte(1), uint8(0), certHost)
		f.Add(uint8(1), place, byte(0x80), uint8(2), "*.example.org")
	}
	f.Fuzz(func(t *testing.T, which uint8, place uint16, flip byte, order uint8, host string) {
		srv := sound
		srv.host = host
		srv.chain = nil
		for _, der := range sound.chain {
			srv.chain = append(srv.chain, append([]byte(nil), der...))
		}
		target := srv.chain[int(which)%len(srv.chain)]
		target[int(place)%len(target)] ^= flip
		switch order % 4 {
		case 1:
			srv.chain = append(srv.chain, srv.chain...)
		case 2:
			srv.chain = srv.chain[:1]
		case 3:
			srv.chain = append(srv.chain, s.root.Certificate.Raw, target)
		}
		in := srv.input()
		got := Judge(in)
		if !got.Complete {
			t.Errorf("a rule failed: %v", summaries(got.Findings))
		}
		if again := Judge(in); fmt.Sprint(again) != fmt.Sprint(got) {
			t.Errorf("two judgements differ:\n%v\n%v", got, again)
		}
		for _, finding := range got.Findings {
			checkSafe(t, "fuzzed", finding)
		}
		if flip != 0 && which%2 == 0 && finding.Worst(got.Findings) < finding.Warning {
			t.Errorf("a changed leaf passes: %v", got.Findings)
		}
	})
}
