package boot

import (
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"certdrift/internal/config"
	"certdrift/internal/finding"
	"certdrift/internal/round"
	"certdrift/internal/trust"
)

// TestTheRuntimeAPIIsOutOfReach: a function whose configuration names its own Runtime API, and an endpoint that redirects there,
// consume no event.
func TestTheRuntimeAPIIsOutOfReach(t *testing.T) {
	var consumed, asked atomic.Int32
	api := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { consumed.Add(1) }))
	defer api.Close()
	page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		http.Redirect(w, r, api.URL+"/2018-06-01/runtime/invocation/next", http.StatusFound)
	}))
	defer page.Close()
	address := api.Listener.Addr().String()
	env, err := ReadEnv(func(name string) string { return map[string]string{"AWS_LAMBDA_RUNTIME_API": address}[name] })
	if err != nil || env.RuntimeAPI != address {
		t.Fatalf("the Runtime API is %q: %v", env.RuntimeAPI, err)
	}
	cfg, faults := config.Load([]byte(`version: 1
environments:
  production:
    endpoints:
      - {name: itself, url: "`+api.URL+`/2018-06-01/runtime/invocation/next"}
      - {name: given, url: "http://site.example.org/", connect_to: ["`+address+`"]}
      - {name: redirects, url: "`+page.URL+`/"}
`), config.Options{File: "certdrift.yaml"})
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	runners := &Runners{Now: time.Now, Stores: &trust.Stores{}, RuntimeAPI: env.RuntimeAPI}
	res, err := runners.For(cfg).Run(t.Context(), round.Request{Config: cfg})
	if err != nil {
		t.Fatal(err)
	}
	codes := map[string]finding.Code{}
	for _, f := range res.Conclusion.Findings {
		if f.Severity == finding.Critical {
			codes[f.Endpoint] = f.Code
		}
	}
	if codes["itself"] != finding.AddressBlocked || codes["given"] != finding.AddressBlocked || codes["redirects"] != finding.HTTPRedirectBlocked {
		t.Errorf("found %v", codes)
	}
	if consumed.Load() != 0 || asked.Load() == 0 {
		t.Errorf("%d events were consumed, the page was asked for %d times", consumed.Load(), asked.Load())
	}
}
