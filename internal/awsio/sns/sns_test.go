package sns_test

import (
	"context"
	"strings"
	"testing"

	awssns "github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/google/go-cmp/cmp"

	"certdrift/internal/alert"
	"certdrift/internal/awsio/sns"
	"certdrift/internal/observation"
	"certdrift/internal/sim/account"
)

func message() alert.Message {
	return alert.Message{
		Subject: "CRITICAL production: wrong certificate", Default: "wrong certificate", Email: "the whole story", SMS: "short", JSON: `{"a":1}`,
		Chat:       `{"version":"1.0"}`,
		Attributes: map[string]string{"environment": "production", "severity": "critical", "event": "opened", "code": ""},
	}
}

func TestEachProtocolGetsItsText(t *testing.T) {
	a := account.New(account.Options{})
	topic := a.AddTopic("alerts",
		account.Subscription{Protocol: "email", Endpoint: "ops@example.org"},
		account.Subscription{Protocol: "sms", Endpoint: "+15550100"},
		account.Subscription{Protocol: "sqs", Endpoint: "queue"},
		account.Subscription{Protocol: "firehose", Endpoint: "stream"},
		account.Subscription{Protocol: "https", Endpoint: "https://staging.example.org", Filter: map[string][]string{"environment": {"staging"}}},
	)
	if err := sns.New(a.SNS(), topic).Send(t.Context(), message()); err != nil {
		t.Fatal(err)
	}
	want := []account.Delivery{
		{Protocol: "email", Endpoint: "ops@example.org", Subject: "CRITICAL production: wrong certificate", Text: "the whole story"},
		{Protocol: "sms", Endpoint: "+15550100", Text: "short"},
		{Protocol: "sqs", Endpoint: "queue", Text: `{"a":1}`},
		{Protocol: "firehose", Endpoint: "stream", Text: "wrong certificate"},
	}
	if diff := cmp.Diff(want, a.Deliveries(topic)); diff != "" {
		t.Errorf("deliveries (-want +got):\n%s", diff)
	}
	if got := a.Messages(topic)[0].Attributes; got["severity"] != "critical" || got["AWS.SNS.SMS.SMSType"] != "Transactional" {
		t.Errorf("attributes %v", got)
	}
}

// The account refuses what SNS refuses, so a subject that comes through is one that SNS takes.
func TestNoSubjectLosesTheAlert(t *testing.T) {
	for _, subject := range []string{"", " ", "\n", "ünicode\r\nBcc: x", strings.Repeat("x", 300), "  lead", strings.Repeat("a ", 60)} {
		a := account.New(account.Options{})
		topic := a.AddTopic("alerts")
		m := message()
		m.Subject = subject
		if err := sns.New(a.SNS(), topic).Send(t.Context(), m); err != nil || len(a.Messages(topic)) != 1 {
			t.Errorf("%q: %v", subject, err)
		}
	}
}

func TestChatGetsItsOwnFormOnly(t *testing.T) {
	a := account.New(account.Options{})
	topic := a.AddTopic("chat", account.Subscription{Protocol: "https", Endpoint: "chat"})
	chat := sns.NewChat(a.SNS(), topic)
	without := message()
	without.Chat = ""
	if err := chat.Send(t.Context(), without); err != nil {
		t.Fatal(err)
	}
	if err := chat.Send(t.Context(), message()); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]account.Delivery{{Protocol: "https", Endpoint: "chat", Text: `{"version":"1.0"}`}}, a.Deliveries(topic)); diff != "" {
		t.Errorf("deliveries (-want +got):\n%s", diff)
	}
}

func TestWhatCannotBeSentIsAnError(t *testing.T) {
	a := account.New(account.Options{})
	topic := a.AddTopic("alerts")
	if err := sns.New(a.SNS(), topic+"-gone").Send(t.Context(), message()); err == nil || !strings.Contains(err.Error(), "NotFound") {
		t.Errorf("a missing topic: %v", err)
	}
	huge := message()
	huge.Email = strings.Repeat("x", 300<<10)
	if err := sns.New(a.SNS(), topic).Send(t.Context(), huge); err == nil || !strings.Contains(err.Error(), "bytes") {
		t.Errorf("a message that is too large: %v", err)
	}
	if err := sns.New(a.SNS(), topic).Send(t.Context(), alert.Message{}); err == nil {
		t.Error("an empty message was sent")
	}
	a.Deny("sns:Publish")
	err := sns.New(a.SNS(), topic).Send(t.Context(), message())
	if kind, ok := err.(interface {
		ObserveErrorKind() observation.ObserveErrorKind
	}); !ok || kind.ObserveErrorKind() != observation.Denied {
		t.Errorf("a refusal: %v", err)
	}
}

// empty is an SNS that answers 200 with an empty body.
type empty struct{}

func (empty) Publish(context.Context, *awssns.PublishInput, ...func(*awssns.Options)) (*awssns.PublishOutput, error) {
	return &awssns.PublishOutput{}, nil
}

func TestAResponseWithoutAMessageIDIsNoDelivery(t *testing.T) {
	for name, topic := range map[string]*sns.Topic{"alerts": sns.New(empty{}, "alerts"), "chat": sns.NewChat(empty{}, "chat")} {
		if err := topic.Send(t.Context(), message()); err == nil || !strings.Contains(err.Error(), "no message ID") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
