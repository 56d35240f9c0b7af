package lambda_test

import (
	"context"
	"encoding/json"
	"encoding/pem"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"certdrift/internal/awsio/cloudwatch"
	"certdrift/internal/awsio/listener"
	"certdrift/internal/awsio/sns"
	"certdrift/internal/awsio/trail"
	"certdrift/internal/boot"
	"certdrift/internal/config"
	"certdrift/internal/finding"
	"certdrift/internal/lambda"
	"certdrift/internal/observation"
	"certdrift/internal/round"
	"certdrift/internal/sim/account"
	"certdrift/internal/sim/pki"
	"certdrift/internal/target"
	"certdrift/internal/trust"
)

// stage is the inspect function's handler over a simulated account: the product's own adapters, rounds and publisher. api
// and ui stand behind two load balancers that share a certificate, other behind a third with one of its own.
type stage struct {
	t       *testing.T
	now     time.Time
	account *account.Account
	ca      *pki.Pair
	serves  map[string]*pki.Pair // by endpoint
	shared  string               // the ARN of the certificate on lb-api and lb-ui
	own     string               // of that on lb-other
	topic   string
	probed  []string
	last    round.Result
	// manifests are what the configuration's manifests declare.
	manifests []observation.Declaration
	function  *lambda.Function
	log       strings.Builder
}

const stageConfig = `version: 1
trust: {ca_files: [ca.pem]}
load_balancers: {regions: [us-west-2]}
environments:
  production:
    endpoints:
      - {name: api, url: "https://api.example.org/", connect_to: ["127.0.0.1:1"], load_balancer: {name: lb-api, port: 443}}
      - {name: ui, url: "https://ui.example.org/", connect_to: ["127.0.0.1:1"], load_balancer: {name: lb-ui, port: 443}}
      - {name: other, url: "https://other.example.org/", connect_to: ["127.0.0.1:1"], load_balancer: {name: lb-other, port: 443}, certificate: {arn: "arn:aws:acm:us-west-2:111122223333:certificate/22222222-0000-4000-8000-000000000002"}}
`

func newStage(t *testing.T) *stage {
	t.Helper()
	return newStageOf(t, stageConfig)
}

func newStageOf(t *testing.T, configuration string) *stage {
	t.Helper()
	s := &stage{t: t, now: time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC), serves: map[string]*pki.Pair{}}
	s.account = account.New(account.Options{Now: func() time.Time { return s.now }, PageSize: 1})
	s.topic = s.account.AddTopic("alerts")
	var err error
	if s.ca, err = pki.Root("Stage root", s.now); err != nil {
		t.Fatal(err)
	}
	s.serves["other"] = s.leaf(100, 90, "other.example.org")
	s.own = s.account.AddCertificate("22222222-0000-4000-8000-000000000002", s.serves["other"])
	s.shared = "arn:aws:acm:us-west-2:111122223333:certificate/11111111-0000-4000-8000-000000000001"
	s.serve(s.leaf(100, 90, "api.example.org", "ui.example.org"))
	s.account.AddLoadBalancer(account.LoadBalancer{Kind: observation.Classic, Name: "lb-api", Listeners: []account.Listener{{Port: 443, Protocol: "HTTPS", Certificates: []string{s.shared}}}})
	s.account.AddLoadBalancer(account.LoadBalancer{Kind: observation.Application, Name: "lb-ui", Listeners: []account.Listener{
		{Port: 443, Protocol: "HTTPS", Certificates: []string{s.shared}, Policy: "ELBSecurityPolicy-TLS13-1-2-2021-06"}}})
	s.account.AddLoadBalancer(account.LoadBalancer{Kind: observation.Network, Name: "lb-other", Listeners: []account.Listener{
		{Port: 443, Protocol: "TLS", Certificates: []string{s.own}, Policy: "ELBSecurityPolicy-TLS13-1-2-2021-06"}}})
	s.function = s.inspect(configuration)
	return s
}

// leaf is a certificate of a life of so many days, so many of which are left.
func (s *stage) leaf(life, left int, names ...string) *pki.Pair {
	s.t.Helper()
	end := s.now.AddDate(0, 0, left)
	pair, err := s.ca.Leaf(s.now, names, pki.Valid(end.AddDate(0, 0, -life), end))
	if err != nil {
		s.t.Fatal(err)
	}
	return pair
}

// serve puts a certificate under the shared ARN, and on the load balancers' nodes: a renewal, or a bad day.
func (s *stage) serve(pair *pki.Pair) {
	s.account.AddCertificate(s.shared[strings.LastIndex(s.shared, "/")+1:], pair)
	s.serves["api"], s.serves["ui"] = pair, pair
}

func (s *stage) inspect(configuration string) *lambda.Function {
	clock := func() time.Time { return s.now }
	cfg, faults := config.Load([]byte(configuration), config.Options{File: "certdrift.yaml", ReadFile: func(string) ([]byte, error) {
		return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.ca.Certificate.Raw}), nil
	}})
	if len(faults) > 0 {
		s.t.Fatal(faults)
	}
	inspector := listener.New(listener.Options{
		Home: "us-west-2", Account: func(context.Context, target.Role) (string, error) { return s.account.ID(), nil },
		Clients: func(region string, _ target.Role) listener.Clients {
			if region != s.account.Region() {
				empty := account.New(account.Options{Now: clock, Region: region})
				return listener.Clients{Classic: empty.ELB(), Modern: empty.ELBv2(), ACM: empty.ACM(), IAM: empty.IAM()}
			}
			return listener.Clients{Classic: s.account.ELB(), Modern: s.account.ELBv2(), ACM: s.account.ACM(), IAM: s.account.IAM()}
		},
	})
	publisher := &round.Publisher{Now: clock, Store: round.NewMemory(), Function: "inspect", By: "test", Gauge: cloudwatch.New(s.account.CloudWatch(), "Certdrift")}
	publisher.Tell(sns.New(s.account.SNS(), s.topic))
	history := trail.New(trail.Options{Now: clock, Pause: time.Millisecond, Client: func(region string, _ target.Role) trail.Client { return s.account.CloudTrailIn(region) }})
	runners := &boot.Runners{
		Now: clock, Stores: &trust.Stores{}, Inspector: inspector, History: func(config.Config) boot.Historian { return history }, Publisher: publisher,
		Done: func(res round.Result) { s.last = res },
	}
	return lambda.New(lambda.Parts{
		Runner: func(c config.Config) *round.Runner {
			runner := runners.For(c)
			runner.Prober = s
			return runner
		},
		Load: func(context.Context) (round.Request, error) {
			return round.Request{Config: cfg, Manifests: s.manifests}, nil
		},
		Depth: round.Listeners, Region: "us-west-2", Log: slog.New(slog.NewJSONHandler(&s.log, nil)), Now: clock, Ignored: publisher.Ignored,
		Account: func(context.Context) (string, error) { return s.account.ID(), nil },
		Again:   15 * time.Second, Wait: func(_ context.Context, d time.Duration) { s.now = s.now.Add(d) },
	})
}

// Probe answers for the endpoints with what the load balancers' nodes serve.
func (s *stage) Probe(_ context.Context, endpoints []target.Endpoint) []observation.Endpoint {
	s.probed = nil
	var out []observation.Endpoint
	for _, e := range endpoints {
		s.probed = append(s.probed, e.Name)
		a := observation.Address{Address: "127.0.0.1:1", Started: s.now, HTTP: &observation.HTTP{Proto: "HTTP/1.1", Status: 200}}
		a.TLS = &observation.TLS{Version: "TLS 1.3", Cipher: "TLS_AES_128_GCM_SHA256", Chain: [][]byte{s.serves[e.Name].Certificate.Raw}}
		out = append(out, observation.Endpoint{Target: e, Probed: true, DNS: observation.DNS{Skipped: true}, Addresses: []observation.Address{a}})
	}
	return out
}

// Resolve knows no names.
func (*stage) Resolve(context.Context, string) observation.DNS { return observation.DNS{} }

// tick is a scheduled round, a minute later.
func (s *stage) tick() {
	s.t.Helper()
	s.now = s.now.Add(time.Minute)
	s.handle([]byte("{}"))
}

func (s *stage) handle(event []byte) lambda.Summary {
	s.t.Helper()
	out, err := s.function.Handle(s.t.Context(), event)
	if err != nil {
		s.t.Fatal(err)
	}
	return out
}

// sample is a sample event about a certificate, as of a minute from now.
func (s *stage) sample(name, arn string, more ...string) []byte {
	s.t.Helper()
	raw, err := os.ReadFile(filepath.Join("..", "..", "events", name+".json"))
	if err != nil {
		s.t.Fatal(err)
	}
	var envelope map[string]any
	if err := json.Unmarshal(raw, &envelope); err != nil {
		s.t.Fatal(err)
	}
	s.now = s.now.Add(time.Minute)
	envelope["time"] = s.now.Format(time.RFC3339)
	if resources, _ := envelope["resources"].([]any); len(resources) > 0 {
		envelope["resources"] = []string{arn}
	}
	if detail := envelope["detail"].(map[string]any); detail["eventSource"] == "acm.amazonaws.com" {
		detail["eventTime"] = envelope["time"]
		detail["requestParameters"], detail["responseElements"] = map[string]any{"certificateArn": arn}, nil
	}
	out, err := json.Marshal(envelope)
	if err != nil {
		s.t.Fatal(err)
	}
	return []byte(strings.NewReplacer(more...).Replace(string(out)))
}

// found are the last round's findings of warning or worse, as CODE@LISTENER or CODE@ENDPOINT, sorted.
func (s *stage) found() []string {
	var out []string
	for _, f := range s.last.Conclusion.Findings {
		if f.Severity >= finding.Warning {
			at := f.Listener
			if at == "" {
				at = f.Endpoint
			}
			out = append(out, string(f.Code)+"@"+at)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// subjects are those of the messages sent so far.
func (s *stage) subjects() []string {
	var out []string
	for _, m := range s.account.Messages(s.topic) {
		out = append(out, m.Subject)
	}
	return out
}

// ignoredEvents is what the metric counts.
func (s *stage) ignoredEvents() int {
	n := 0
	for _, d := range s.account.Data() {
		if aws.ToString(d.MetricName) == "EventsIgnored" {
			n++
		}
	}
	return n
}
