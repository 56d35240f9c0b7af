package e2e

import (
	"encoding/json"
	"encoding/pem"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"

	"certdrift/internal/policy"
)

// A wrong certificate on one load balancer breaks forty endpoints: one message on every path (each SNS protocol for people and
// machines, the chat topic, the event bus); nothing more from duplicate events and ten more rounds; one recovery.
func TestTheForty(t *testing.T) {
	enabled(t)
	t.Parallel()
	web := openWeb(t)
	f := startFront(t, startMoto(t, "REQUESTS_CA_BUNDLE="+web.trusted)) // for https, which the emulator posts to by Python's requests
	cfg := asTester(f.url)
	w := makeWorld(t, cfg)
	w.theForty(t)
	s := deploy(t, f, w, "Chat=true")
	everywhere := openPaths(t, cfg, web, f.put, s.Outputs)

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
		time.Sleep(policy.DefaultAlerting().Apart + time.Second) // nearer rounds would not count
		if probe, inspect := s.round(t); probe.Verdict != "fail" || inspect.Verdict != "fail" {
			t.Errorf("while it lasts: probe %+v, inspect %+v", probe, inspect)
		}
	}
	everywhere.hold(t, 0, "")
	w.attach(t, balancer, w.right["production"])
	s.send(t, sample(t, "classic-set-certificate-console-production-api.json", w))
	for range 3 {
		s.round(t)
		time.Sleep(policy.DefaultAlerting().Apart + time.Second)
	}
	everywhere.hold(t, 1, "recovered")
}

// web is two HTTP servers that a topic posts to, one with TLS.
type web struct {
	http, https string // their URLs
	trusted     string // the file that holds the second one's certificate
	mu          sync.Mutex
	posted      map[string][]string // by protocol
}

func openWeb(t *testing.T) *web {
	t.Helper()
	w := &web{posted: map[string][]string{}, trusted: filepath.Join(t.TempDir(), "ca.pem")}
	plain, secure := httptest.NewServer(w), httptest.NewTLSServer(w)
	t.Cleanup(plain.Close)
	t.Cleanup(secure.Close)
	w.http, w.https = plain.URL, secure.URL
	check(t, os.WriteFile(w.trusted, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: secure.Certificate().Raw}), 0o600))
	return w
}

func (w *web) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(io.LimitReader(r.Body, 1<<20)) // half a message fails the test that reads it
	protocol := "http"
	if r.TLS != nil {
		protocol = "https"
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.posted[protocol] = append(w.posted[protocol], string(body))
}

// take returns what was posted since the last call.
func (w *web) take() map[string][]string {
	w.mu.Lock()
	defer w.mu.Unlock()
	posted := w.posted
	w.posted = map[string][]string{}
	return posted
}

// paths are the ends of every protocol that the topic has subscribers for, of the chat's topic, and the event bus.
type paths struct {
	machines, email, sms, function, chat *inbox
	web                                  *web
	bus                                  *busEntries
}

func openPaths(t *testing.T, cfg aws.Config, posts *web, put *busEntries, outputs map[string]string) *paths {
	t.Helper()
	topic := outputs["TopicArn"]
	p := &paths{web: posts, bus: put, machines: subscribe(t, cfg, topic, "subscriber"), chat: subscribe(t, cfg, outputs["ChatTopicArn"], "chat"),
		email: openQueue(t, cfg, "email"), sms: openQueue(t, cfg, "sms"), function: openQueue(t, cfg, "lambda")}
	api := sns.NewFromConfig(cfg)
	for protocol, endpoint := range map[string]string{
		"http": posts.http, "https": posts.https, "lambda": "arn:aws:lambda:" + region + ":" + account + ":function:subscriber",
	} {
		_, err := api.Subscribe(t.Context(), &sns.SubscribeInput{TopicArn: &topic, Protocol: &protocol, Endpoint: &endpoint})
		check(t, err)
	}
	list, err := api.ListSubscriptionsByTopic(t.Context(), &sns.ListSubscriptionsByTopicInput{TopicArn: &topic})
	check(t, err)
	var protocols []string
	for _, s := range list.Subscriptions {
		protocols = append(protocols, aws.ToString(s.Protocol))
	}
	slices.Sort(protocols)
	if want := []string{"email", "http", "https", "lambda", "sms", "sqs"}; !slices.Equal(protocols, want) {
		t.Fatalf("subscribed are %q, want %q", protocols, want)
	}
	return p
}

// hold fails unless every path received so many messages of this event since the last call, each in the right format.
func (p *paths) hold(t *testing.T, want int, event string) {
	t.Helper()
	machines, counts := p.machines.take(t), map[string]int{}
	counts["sqs"] = len(machines)
	for protocol, posted := range p.web.take() {
		counts[protocol] = len(posted)
		for _, envelope := range posted {
			machines = append(machines, open(t, envelope))
		}
	}
	called, events := p.function.texts(t), p.bus.take()
	counts["lambda"], counts["the bus"] = len(called), len(events)
	for _, e := range events {
		if e.Source != "certdrift" || e.EventBusName != "default" {
			t.Errorf("on the bus is %+v", e)
		}
		called = append(called, e.Detail)
	}
	for _, text := range called {
		m := message{body: text}
		check(t, json.Unmarshal([]byte(text), &m.document))
		machines = append(machines, m)
	}
	for _, m := range machines {
		if m.document["event"] != event || m.document["affects_count"] != 40.0 || m.document["code"] != "drift-attached" {
			t.Errorf("machines received %s, want %s of drift-attached for 40 endpoints", m.body, event)
		}
	}
	counts["chat"], counts["email"], counts["sms"] = p.chatted(t, event), p.mailed(t, event), p.texted(t)
	for _, path := range []string{"sqs", "http", "https", "lambda", "the bus", "chat", "email", "sms"} {
		if counts[path] != want {
			t.Errorf("%d messages by %s, want %d", counts[path], path, want)
		}
	}
}

func (p *paths) mailed(t *testing.T, event string) int {
	t.Helper()
	mails := p.email.texts(t)
	for _, text := range mails {
		if !strings.Contains(text, "a22e1d63f8ea522f9ac4b17d603e9f82:443") || event == "opened" && !strings.Contains(text, "AFFECTED (40)") {
			t.Errorf("the email does not say what is affected: %s", text)
		}
	}
	return len(mails)
}

func (p *paths) texted(t *testing.T) int {
	t.Helper()
	texts := p.sms.texts(t)
	for _, text := range texts {
		if len(text) > 160 || !strings.Contains(text, "+39") {
			t.Errorf("the text message is %d bytes and says %q", len(text), text)
		}
	}
	return len(texts)
}

// chatted checks that chat messages have the format that Amazon Q Developer accepts.
func (p *paths) chatted(t *testing.T, event string) int {
	t.Helper()
	notes := p.chat.take(t)
	for _, m := range notes {
		var note struct {
			Version, Source string
			Content         struct{ Title string }
			Metadata        struct{ ThreadID, EventType string }
		}
		check(t, json.Unmarshal([]byte(m.body), &note))
		if note.Version != "1.0" || note.Source != "custom" || note.Metadata.ThreadID == "" || note.Metadata.EventType != "certdrift "+event ||
			!strings.Contains(note.Content.Title, "and 39 more") {
			t.Errorf("the chat received %s", m.body)
		}
	}
	return len(notes)
}
