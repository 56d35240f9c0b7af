package round_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"certdrift/internal/certtest"
	"certdrift/internal/chain"
	"certdrift/internal/config"
	"certdrift/internal/finding"
	"certdrift/internal/observation"
	"certdrift/internal/policy"
	"certdrift/internal/round"
	"certdrift/internal/sim/pki"
	"certdrift/internal/target"
)

// asked is a prober that records how often endpoints are to be asked for their other certificate.
type asked struct {
	every []time.Duration
	seen  func(target.Endpoint) observation.Address
}

func (a *asked) Probe(_ context.Context, endpoints []target.Endpoint) []observation.Endpoint {
	a.every = nil
	var out []observation.Endpoint
	for _, e := range endpoints {
		a.every = append(a.every, e.OtherEvery)
		out = append(out, observation.Endpoint{Target: e, Probed: true, Addresses: []observation.Address{a.seen(e)}})
	}
	return out
}

func (a *asked) Resolve(context.Context, string) observation.DNS { return observation.DNS{} }

// TestOtherCertificatesAreAskedForInTurns: by scheduled rounds alone, and not where an incident waits for the answer.
func TestOtherCertificatesAreAskedForInTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		root := certtest.Must(t)(pki.Root("Root", time.Now()))
		good := certtest.Must(t)(root.Leaf(time.Now(), []string{"api.example.org"}))
		expired := certtest.Must(t)(root.Leaf(time.Now(), []string{"api.example.org"}, pki.Valid(time.Now().AddDate(0, -3, 0), time.Now().Add(-time.Hour))))
		other := &observation.OtherCertificate{KeyType: observation.RSA, TLS: &observation.TLS{Chain: expired.Served()}}
		prober := &asked{seen: func(e target.Endpoint) observation.Address {
			a := observation.Address{Address: "192.0.2.1:443", TLS: &observation.TLS{Version: "TLS 1.3", Chain: good.Served()}, HTTP: &observation.HTTP{Status: 200}}
			if e.Name == "bad" {
				a.Other = other
			}
			return a
		}}
		endpoint := func(name string) target.Endpoint {
			return target.Endpoint{Environment: "production", Name: name, Kind: target.HTTPS, Host: "api.example.org", Port: 443}
		}
		r := &round.Runner{Now: time.Now, Prober: prober, Roots: func(target.Roots) *chain.Store {
			return chain.NewStore([]chain.Anchor{{Certificate: root.Certificate}})
		}}
		q := round.Request{Config: config.Config{
			Policy: policy.DefaultThresholds(), Incidents: policy.DefaultAlerting(), OtherEvery: time.Hour,
			Endpoints: []target.Endpoint{endpoint("bad"), endpoint("good")},
		}}
		run := func(what string, q round.Request, bad, good time.Duration) round.Result {
			t.Helper()
			time.Sleep(time.Minute)
			res, err := r.Run(t.Context(), q)
			if err != nil {
				t.Error(err)
			}
			if len(prober.every) != 2 || prober.every[0] != bad || prober.every[1] != good {
				t.Errorf("%s: asked every %v", what, prober.every)
			}
			return res
		}
		run("a round that somebody waits for", q, 0, 0)
		r.Publisher = &round.Publisher{Now: time.Now, Store: round.NewMemory(), Function: "probe", By: "test"}
		res := run("a scheduled round", q, time.Hour, time.Hour)
		if fs := res.Conclusion.Findings; len(fs) != 1 || fs[0].Code != finding.CertExpired || !fs[0].Subject.Other {
			t.Fatalf("found %+v", fs)
		}
		run("the next one, with an incident", q, 0, time.Hour)
		changed := q
		changed.Changes = []observation.Change{{Event: "ModifyListener"}}
		run("after a change", changed, 0, 0)
		other = &observation.OtherCertificate{KeyType: observation.RSA, Absent: true}
		for range 2 {
			run("until it is resolved", q, 0, time.Hour)
		}
		run("and then in turns", q, time.Hour, time.Hour)
	})
}
