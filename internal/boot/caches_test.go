package boot

import (
	"crypto/tls"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"certdrift/internal/certtest"
	"certdrift/internal/config"
	"certdrift/internal/finding"
	"certdrift/internal/policy"
	"certdrift/internal/round"
	"certdrift/internal/sim/pki"
	"certdrift/internal/target"
	"certdrift/internal/trust"
)

// TestCachesHideNoChange: prober and judge keep what they know of chains from round to round. Whatever changes is in the next round's
// findings all the same, and gone from those of the one after it is put right.
func TestCachesHideNoChange(t *testing.T) {
	now := time.Now()
	must := func(p *pki.Pair, err error) *pki.Pair {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	root, other := must(pki.Root("Root", now)), must(pki.Root("Other root", now))
	inter := must(root.Intermediate("Intermediate", now))
	ended := must(root.IntermediateWithKey("Intermediate", now, inter.Key, pki.Valid(now.AddDate(-2, 0, 0), now.AddDate(0, 0, -1))))
	leaf := must(inter.Leaf(now, []string{"site.test"}))
	good := leaf.TLS()
	withEnded := tls.Certificate{Certificate: [][]byte{leaf.Certificate.Raw, ended.Certificate.Raw}, PrivateKey: leaf.Key}
	renewed := must(must(root.Intermediate("Intermediate", now)).Leaf(now, []string{"site.test"})).TLS()

	var served atomic.Pointer[tls.Certificate]
	address := certtest.ServeTLS(t, "127.0.0.1", &tls.Config{GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return served.Load(), nil }}, nil)
	at := now
	runners := &Runners{Now: func() time.Time { return at }, Stores: &trust.Stores{}}
	for i, step := range []struct {
		served *tls.Certificate
		root   *pki.Pair
		at     time.Time
		want   finding.Code
	}{
		{&good, root, now, ""},
		{&good, root, now.Add(time.Minute), ""},
		{&withEnded, root, now, finding.CertChainExpired},
		{&good, root, now, ""},
		{&good, other, now, finding.CertUntrusted},
		{&good, root, now, ""},
		{&good, root, leaf.Certificate.NotAfter.Add(time.Second), finding.CertExpired},
		{&renewed, root, now, ""},
		{&good, root, now, ""},
	} {
		served.Store(step.served)
		at = step.at
		e := target.Endpoint{
			Environment: "e", Name: "site", Kind: target.TLS, Host: "site.test", Port: 443, ConnectTo: []string{address}, Timeout: time.Minute,
			Trust: target.Trust{Roots: target.Mozilla, CAs: [][]byte{step.root.Certificate.Raw}},
		}
		c := config.Config{Endpoints: []target.Endpoint{e}, Policy: policy.DefaultThresholds()}
		res, err := runners.For(c).Run(t.Context(), round.Request{Config: c})
		if err != nil {
			t.Fatal(err)
		}
		var critical []finding.Code
		for _, f := range res.Conclusion.Findings {
			if f.Severity == finding.Critical {
				critical = append(critical, f.Code)
			}
		}
		if step.want == "" && len(critical) > 0 || step.want != "" && !slices.Contains(critical, step.want) {
			t.Errorf("round %d: %v, want %q", i+1, critical, step.want)
		}
	}
}
