package judge

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"certdrift/internal/chain"
	"certdrift/internal/observation"
	"certdrift/internal/policy"
	"certdrift/internal/target"
)

var updateRounds = flag.Bool("update-rounds", false, "make the saved rounds in testdata/rounds anew, with new keys")

// saved is a round as `certdrift check --save` writes it.
type saved struct {
	observation.Round
	Policy policy.Thresholds `json:"policy"`
}

// saved is the scene as it would be saved: its root stands in the endpoints, as a configuration's ca_files do.
func (s *scene) saved() saved {
	for i := range s.Round.Endpoints {
		s.Round.Endpoints[i].Target.Trust.CAs = [][]byte{s.Root().Certificate.Raw}
	}
	return saved{Round: s.Round, Policy: s.policy}
}

// input judges a saved round by the time it was seen, as `certdrift judge` does.
func (s saved) input() Input {
	none := chain.NewStore(nil)
	return Input{Policy: s.Policy, Roots: func(target.Roots) *chain.Store { return none }, Now: s.Finished, Round: s.Round}
}

// savedScenes are the rounds that are kept: each a whole story.
var savedScenes = map[string]func(t *testing.T) *scene{
	"healthy": func(t *testing.T) *scene {
		s := newScene(t)
		leaf := s.Leaf(host, "www.example.org")
		s.ALB("web", s.ACM("a", leaf))
		behind(s.HTTPS("api", host, ok("10.0.0.1", leaf), ok("10.0.0.2", leaf)), "web", arnOf("a"))
		s.HTTPS("old", host, redirecting(s, 200, "www.example.org"))
		return s
	},
	"stale-template-redeployed": func(t *testing.T) *scene {
		s := manifested(t, "stale", "stale", "good")
		s.Round.Changes = []observation.Change{{
			EventID: "9c2d7b40", Event: "SetLoadBalancerListenerSSLCertificate", At: noon.Add(-5 * time.Minute), Region: region, Account: account,
			LoadBalancer: "a1", Port: 443, Certificates: []string{arnOf("stale")}, Confirmed: true,
			Author: &observation.Author{Principal: "arn:aws:sts::111122223333:assumed-role/masters/i-0abc", Name: "masters", Session: "i-0abc",
				Tool: "Kubernetes cloud provider", UserAgent: "kubernetes/v1.8.7", SourceIP: "203.0.113.9"},
		}}
		return s
	},
	"certificate-deleted": func(t *testing.T) *scene {
		s := newScene(t)
		leaf := s.Leaf(host)
		s.Round.Certificates = []observation.Certificate{{ARN: serverARN + "tls/api", Missing: true}}
		s.Classic("a1", serverARN+"tls/api")
		behind(s.HTTPS("api", host, ok("10.0.0.1", leaf)), "a1", "")
		s.Round.Changes = []observation.Change{did("DeleteServerCertificate", noon.Add(-5*time.Minute), serverARN+"api")}
		s.Round.Changes[0].Region = "us-east-1"
		return s
	},
	"old-one-imported": func(t *testing.T) *scene {
		s := newScene(t)
		leaf := s.LeafUntil(noon.AddDate(0, 0, 3), host)
		s.ALB("web", s.imported("a", leaf, noon.Add(-5*time.Minute)))
		behind(s.HTTPS("api", host, ok("10.0.0.1", leaf), ok("10.0.0.2", leaf)), "web", arnOf("a"))
		s.Round.Changes = []observation.Change{did("ImportCertificate", noon.Add(-5*time.Minute), arnOf("a"))}
		s.Round.Changes[0].Confirmed = true
		return s
	},
	"put-back-by-hand": func(t *testing.T) *scene { return manifested(t, "stale", "good", "good") },
	"planned-offline": func(t *testing.T) *scene {
		s := manifested(t, "expired", "", "good")
		s.Round.Endpoints[0].Probed, s.Round.Planned = false, true
		return s
	},
	"half-rolled-out": func(t *testing.T) *scene {
		s := newScene(t)
		right, before := s.Leaf(host), s.LeafUntil(noon.AddDate(0, 0, 4), host)
		s.Classic("a1", s.ACM("a", right))
		behind(s.HTTPS("api", host, ok("10.0.0.1", right), ok("10.0.0.2", before), failing("10.0.0.3", observation.PhaseTLS, observation.TimedOut)), "a1", arnOf("a"))
		return s
	},
	"hostile": func(t *testing.T) *scene {
		s := newScene(t)
		a := redirecting(s, 500, "a.example.org", "b.example.org")
		a.HTTP.Hops[1].Blocked, a.HTTP.Hops[1].Addresses, a.HTTP.Hops[1].URL = "link-local", nil, "http://169.254.169.254/\x1b[31m<script>"
		a.HTTP.Headers = map[string]string{"Server": "::error::\r\n\u202e"}
		s.HTTPS("redirects", host, a)
		s.HTTPS("alerts", host, observation.Address{Address: "10.0.0.9:443", Failure: &observation.Failure{
			Phase: observation.PhaseTLS, Kind: observation.Alert, Alert: "unrecognized_name", Detail: "remote error: \x1b[2J"}})
		return s
	},
	"blind": func(t *testing.T) *scene {
		s := newScene(t)
		behind(s.HTTPS("api", host, ok("10.0.0.1", s.Leaf(host))), "a1", arnOf("a"))
		s.HTTPS("later", host).Probed = false
		s.Round.ListenersRead = true
		s.Round.ObserveErrors = []observation.ObserveError{
			{Kind: observation.Denied, Operation: "elasticloadbalancing:DescribeLoadBalancers", Region: region, Account: account, Detail: "AccessDenied"},
			{Kind: observation.Incomplete, Operation: "round", Environment: "production", Endpoint: "later", Detail: "the deadline came before its turn"},
		}
		s.Round.Diagnostics = []observation.Diagnostic{{Position: target.Position{File: "certdrift.yaml", Line: 40}, Message: "unknown key", Environment: "staging", Endpoint: "ui"}}
		return s
	},
}

// The whole judge over saved rounds: the golden file beside each holds its verdict.
func TestSavedRounds(t *testing.T) {
	for name, build := range savedScenes {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join("testdata", "rounds", name+".json")
			if *updateRounds {
				write(t, path, []byte(asIndentedJSON(t, build(t).saved())))
			}
			in, err := load(path)
			if err != nil {
				t.Fatal(err)
			}
			out := Judge(in)
			var lines []string
			lines = append(lines, fmt.Sprintf("complete: %v", out.Complete))
			for _, f := range out.Findings {
				lines = append(lines, asIndentedJSON(t, f))
			}
			got, golden := strings.Join(lines, "\n")+"\n", strings.TrimSuffix(path, ".json")+".golden"
			if *update || *updateRounds {
				write(t, golden, []byte(got))
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("the verdict on %s changed; look at it, then run with -update:\n%s", path, got)
			}
		})
	}
}

func load(path string) (Input, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return Input{}, fmt.Errorf("reading a saved round: %w", err)
	}
	var s saved
	if err := json.Unmarshal(b, &s); err != nil {
		return Input{}, fmt.Errorf("decoding %q: %w", path, err)
	}
	return s.input(), nil
}

func write(t *testing.T, path string, b []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b, 0o644); err != nil {
		t.Fatal(err)
	}
}

func asIndentedJSON(t *testing.T, v any) string {
	t.Helper()
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
