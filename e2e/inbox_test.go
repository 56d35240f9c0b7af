package e2e

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

// inbox is a queue subscribed to a topic of the stack: what machines receive.
type inbox struct {
	api *sqs.Client
	url string
}

// message is one alert as it arrived.
type message struct {
	subject    string
	attributes map[string]string
	body       string // as SNS hands it on
	document   map[string]any
}

func (m message) String() string {
	return fmt.Sprintf("%v %q %s", m.attributes, m.subject, m.body)
}

func subscribe(t *testing.T, cfg aws.Config, topic, queue string) *inbox {
	t.Helper()
	in := openQueue(t, cfg, queue)
	_, err := sns.NewFromConfig(cfg).Subscribe(t.Context(), &sns.SubscribeInput{
		TopicArn: &topic, Protocol: aws.String("sqs"), Endpoint: aws.String("arn:aws:sqs:" + region + ":" + account + ":" + queue),
	})
	check(t, err)
	return in
}

func openQueue(t *testing.T, cfg aws.Config, name string) *inbox {
	t.Helper()
	in := &inbox{api: sqs.NewFromConfig(cfg)}
	queue, err := in.api.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: &name})
	check(t, err)
	in.url = aws.ToString(queue.QueueUrl)
	return in
}

// take empties the queue of a subscriber.
func (in *inbox) take(t *testing.T) []message {
	t.Helper()
	var all []message
	for _, envelope := range in.texts(t) {
		all = append(all, open(t, envelope))
	}
	return all
}

// texts empties the queue.
func (in *inbox) texts(t *testing.T) []string {
	t.Helper()
	var all []string
	for {
		got, err := in.api.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: &in.url, MaxNumberOfMessages: 10})
		check(t, err)
		if len(got.Messages) == 0 {
			return all
		}
		for _, m := range got.Messages {
			all = append(all, aws.ToString(m.Body))
			_, err := in.api.DeleteMessage(t.Context(), &sqs.DeleteMessageInput{QueueUrl: &in.url, ReceiptHandle: m.ReceiptHandle})
			check(t, err)
		}
	}
}

// open reads the SNS envelope of a message.
func open(t *testing.T, envelope string) message {
	t.Helper()
	var e struct {
		Subject           string
		Message           string
		MessageAttributes map[string]struct{ Value string }
	}
	if err := json.Unmarshal([]byte(envelope), &e); err != nil {
		t.Fatalf("the queue holds %q: %v", envelope, err)
	}
	m := message{subject: e.Subject, body: e.Message, attributes: map[string]string{}}
	for name, a := range e.MessageAttributes {
		m.attributes[name] = a.Value
	}
	if err := json.Unmarshal([]byte(e.Message), &m.document); err != nil {
		t.Errorf("what machines get is no JSON: %q", e.Message)
	}
	return m
}

// about are the messages with these attributes, given as NAME=VALUE.
func about(all []message, attributes ...string) []message {
	var found []message
	for _, m := range all {
		fits := true
		for _, a := range attributes {
			name, value, _ := strings.Cut(a, "=")
			fits = fits && m.attributes[name] == value
		}
		if fits {
			found = append(found, m)
		}
	}
	return found
}
