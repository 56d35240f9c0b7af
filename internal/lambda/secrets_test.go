package lambda_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"certdrift/internal/alert"
	"certdrift/internal/awsio/cloudwatch"
	"certdrift/internal/awsio/sns"
	"certdrift/internal/boot"
	"certdrift/internal/certtest"
	"certdrift/internal/config"
	"certdrift/internal/incident"
	"certdrift/internal/lambda"
	"certdrift/internal/probe"
	"certdrift/internal/round"
	"certdrift/internal/sim/account"
	"certdrift/internal/trust"
)

// inbox is a messenger that keeps every message.
type inbox struct {
	mu   sync.Mutex
	text strings.Builder
}

func (i *inbox) Send(_ context.Context, m alert.Message) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	_, err := fmt.Fprintf(&i.text, "%+v\n", m)
	return err
}

// TestNoFunctionShowsASecret: neither logs, answers, messages, metrics, the state table nor the widget show what a configuration
// keeps secret, although the servers echo it.
func TestNoFunctionShowsASecret(t *testing.T) {
	secrets := certtest.NewSecrets()
	cfg, faults := config.Load([]byte(secrets.Configuration(t)), config.Options{File: "certdrift.yaml"})
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	var log strings.Builder
	logger := slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	aws := account.New(account.Options{Now: time.Now})
	topic, chat, mail, table := aws.AddTopic("alerts"), aws.AddTopic("chat"), &inbox{}, round.NewMemory()
	publisher := &round.Publisher{Now: time.Now, Store: table, Function: "probe", By: "test", Gauge: cloudwatch.New(aws.CloudWatch(), "Certdrift")}
	publisher.Tell(sns.New(aws.SNS(), topic))
	publisher.Tell(sns.NewChat(aws.SNS(), chat))
	publisher.Tell(mail)
	runners := &boot.Runners{Now: time.Now, Stores: &trust.Stores{}, Publisher: publisher, Log: logger, Heartbeat: probe.Heartbeat{}.Call}
	load := func(context.Context) (round.Request, error) { return round.Request{Config: cfg}, nil }
	run := func(ctx context.Context, q round.Request) (round.Result, error) {
		return (&boot.Runners{Now: time.Now, Stores: &trust.Stores{}, Log: logger}).For(q.Config).Run(ctx, q)
	}
	outputs := map[string]string{}
	show := func(what string, value any, err error) {
		text, jsonErr := json.Marshal(value)
		outputs[what] = fmt.Sprintf("%s %+v %v", text, value, errors.Join(err, jsonErr))
	}
	function := lambda.New(lambda.Parts{
		Runner: runners.For, Load: load, Depth: round.EndpointsOnly, Region: "us-west-2", Log: logger, Now: time.Now, Ignored: publisher.Ignored,
		Account: func(context.Context) (string, error) { return aws.ID(), nil }, Wait: func(context.Context, time.Duration) {},
	})
	for i := range 2 {
		summary, err := function.Handle(t.Context(), []byte("{}"))
		show(fmt.Sprintf("answer %d", i), summary, err)
	}
	verifier := lambda.NewVerifier(lambda.VerifyParts{Load: load, Round: run, Log: logger, Now: time.Now, Pause: func(context.Context, time.Duration) {}})
	verification, err := verifier.Handle(t.Context(), json.RawMessage(`{"wait": "1s"}`))
	show("verification", verification, err)
	incidents := func(ctx context.Context) ([]incident.Record, error) {
		stored, err := table.Load(ctx)
		return stored.Incidents, err
	}
	widget := lambda.NewWidget(lambda.WidgetParts{Load: load, Round: run, Incidents: incidents, Log: logger, Now: time.Now})
	page, err := widget.Handle(t.Context(), json.RawMessage(`{"widgetContext": {}}`))
	show("widget", page, err)
	records, err := incidents(t.Context())
	show("state", records, err)
	show("SNS", aws.Messages(topic), nil)
	show("chat", aws.Messages(chat), nil)
	show("metrics", aws.Data(), nil)
	outputs["messages"], outputs["log"] = mail.text.String(), log.String()
	beat := probe.Heartbeat{}.Call(t.Context(), cfg.HeartbeatURL.Reveal())
	show("heartbeat", beat.Error(), beat)
	for what, text := range outputs {
		if leaked := secrets.LeakedIn(text); leaked != nil {
			t.Errorf("%s: shows the secrets of %q", what, leaked)
		}
	}
	for what, want := range map[string]string{"messages": "http-status", "SNS": "[secret]", "widget": "page-0", "verification": "[secret]", "state": "http-status", "heartbeat": "127.0.0.1:1"} {
		if !strings.Contains(outputs[what], want) {
			t.Errorf("the test tests nothing: no %q in %s:\n%.2000s", want, what, outputs[what])
		}
	}
}
