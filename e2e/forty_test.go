package e2e

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"

	"certdrift/internal/incident"
)

// A wrong certificate on one load balancer breaks forty endpoints: one message on every path, once; nothing more from
// duplicate events and ten more rounds; one recovery.
func TestTheForty(t *testing.T) {
	enabled(t)
	t.Parallel()
	f := startFront(t, startMoto(t))
	cfg := asTester(f.url)
	w := makeWorld(t, cfg)
	w.theForty(t)
	s := deploy(t, f, w)
	everywhere := openPaths(t, cfg, f.put, s.Outputs["TopicArn"])

	if probe, inspect := s.round(t); probe.Verdict != "pass" || probe.Endpoints != 41 || inspect.Verdict != "pass" || inspect.Listeners != 1 {
		t.Fatalf("before it broke: probe %+v, inspect %+v", probe, inspect)
	}
	everywhere.hold(t, 0, "")
	balancer := w.balanced[0].balancer
	w.attach(t, balancer, w.stale["production"])
	event := sample(t, "classic-set-certificate-kubernetes-production-api.json", w)
	s.send(t, event)
	everywhere.hold(t, 1, "opened")
	for range 3 {
		s.send(t, event)
	}
	everywhere.hold(t, 0, "")
	for range 10 {
		time.Sleep(incident.DefaultPolicy().Apart + time.Second) // nearer rounds would not count
		if probe, inspect := s.round(t); probe.Verdict != "fail" || inspect.Verdict != "fail" {
			t.Errorf("while it lasts: probe %+v, inspect %+v", probe, inspect)
		}
	}
	everywhere.hold(t, 0, "")
	w.attach(t, balancer, w.right["production"])
	s.send(t, sample(t, "classic-set-certificate-console-production-api.json", w))
	for range 3 {
		s.round(t)
		time.Sleep(incident.DefaultPolicy().Apart + time.Second)
	}
	everywhere.hold(t, 1, "recovered")
}

// paths are the ends of every protocol that the topic has subscribers for, and the event bus.
type paths struct {
	machines, email, sms *inbox
	bus                  *busEntries
	mu                   sync.Mutex
	posted               []string
}

func openPaths(t *testing.T, cfg aws.Config, put *busEntries, topic string) *paths {
	t.Helper()
	p := &paths{bus: put, machines: subscribe(t, cfg, topic), email: openQueue(t, cfg, "email"), sms: openQueue(t, cfg, "sms")}
	web := httptest.NewServer(p)
	t.Cleanup(web.Close)
	api := sns.NewFromConfig(cfg)
	_, err := api.Subscribe(t.Context(), &sns.SubscribeInput{TopicArn: &topic, Protocol: aws.String("http"), Endpoint: &web.URL})
	check(t, err)
	list, err := api.ListSubscriptionsByTopic(t.Context(), &sns.ListSubscriptionsByTopicInput{TopicArn: &topic})
	check(t, err)
	var protocols []string
	for _, s := range list.Subscriptions {
		protocols = append(protocols, aws.ToString(s.Protocol))
	}
	slices.Sort(protocols)
	if want := []string{"email", "http", "sms", "sqs"}; !slices.Equal(protocols, want) {
		t.Fatalf("subscribed are %q, want %q", protocols, want)
	}
	return p
}

func (p *paths) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(io.LimitReader(r.Body, 1<<20)) // half a message fails the test that reads it
	p.mu.Lock()
	defer p.mu.Unlock()
	p.posted = append(p.posted, string(body))
}

// hold fails unless every path got so many messages of this event since it was last asked, each fit for its reader.
func (p *paths) hold(t *testing.T, want int, event string) {
	t.Helper()
	p.mu.Lock()
	posted := p.posted
	p.posted = nil
	p.mu.Unlock()
	var others []message
	for _, envelope := range posted {
		others = append(others, open(t, envelope))
	}
	events := p.bus.take()
	for _, e := range events {
		if e.Source != "certdrift" || e.EventBusName != "default" {
			t.Errorf("on the bus is %+v", e)
		}
		m := message{body: e.Detail}
		check(t, json.Unmarshal([]byte(e.Detail), &m.document))
		others = append(others, m)
	}
	machines, email, sms := p.machines.take(t), p.email.texts(t), p.sms.texts(t)
	for path, got := range map[string]int{"sqs": len(machines), "http": len(posted), "the bus": len(events), "email": len(email), "sms": len(sms)} {
		if got != want {
			t.Errorf("%d messages by %s, want %d", got, path, want)
		}
	}
	for _, m := range slices.Concat(machines, others) {
		if m.document["event"] != event || m.document["affects_count"] != 40.0 || m.document["code"] != "drift-attached" {
			t.Errorf("machines are told %s, want %s of drift-attached for 40 endpoints", m.body, event)
		}
	}
	for _, text := range email {
		if !strings.Contains(text, "a22e1d63f8ea522f9ac4b17d603e9f82:443") || event == "opened" && !strings.Contains(text, "AFFECTED (40)") {
			t.Errorf("the email does not say what is affected: %s", text)
		}
	}
	for _, text := range sms {
		if len(text) > 160 || !strings.Contains(text, "+39") {
			t.Errorf("the text message is %d bytes and says %q", len(text), text)
		}
	}
}
