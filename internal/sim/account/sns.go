package account

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
)

// SNS is the notification service's API.
type SNS struct{ account *Account }

// SNS gives the client.
func (a *Account) SNS() *SNS { return &SNS{a} }

type topic struct {
	published     []Message
	subscriptions []Subscription
}

// Message is what was published to a topic.
type Message struct {
	Topic, Subject string
	// Texts are by protocol; "default" stands for those that have none.
	Texts      map[string]string
	Attributes map[string]string
}

// Subscription is who gets a topic's messages.
type Subscription struct {
	Protocol, Endpoint string
	// Filter lets messages through whose attributes have one of the values; nil lets all through.
	Filter map[string][]string
	// Pending: nobody has confirmed it, and it gets nothing.
	Pending bool
}

// Delivery is a message as one subscriber gets it.
type Delivery struct {
	Protocol, Endpoint, Subject, Text string
}

// AddTopic makes a topic and gives its ARN.
func (w *world) AddTopic(name string, to ...Subscription) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	arn := "arn:aws:sns:" + w.options.Region + ":" + w.options.ID + ":" + name
	w.topics[arn] = &topic{subscriptions: slices.Clone(to)}
	return arn
}

// Messages are those published to a topic, oldest first.
func (w *world) Messages(topicARN string) []Message {
	w.mu.Lock()
	defer w.mu.Unlock()
	if t := w.topics[topicARN]; t != nil {
		return slices.Clone(t.published)
	}
	return nil
}

// Deliveries are what a topic's subscribers got, oldest first.
func (w *world) Deliveries(topicARN string) []Delivery {
	w.mu.Lock()
	defer w.mu.Unlock()
	t := w.topics[topicARN]
	if t == nil {
		return nil
	}
	var out []Delivery
	for _, m := range t.published {
		for _, s := range t.subscriptions {
			if s.Pending || !s.passes(m.Attributes) {
				continue
			}
			text, ok := m.Texts[s.Protocol]
			if !ok {
				text = m.Texts["default"]
			}
			d := Delivery{Protocol: s.Protocol, Endpoint: s.Endpoint, Text: text}
			if s.Protocol == "email" {
				d.Subject = m.Subject
			}
			out = append(out, d)
		}
	}
	return out
}

func (s Subscription) passes(attributes map[string]string) bool {
	for name, values := range s.Filter {
		if !slices.Contains(values, attributes[name]) {
			return false
		}
	}
	return true
}

// Publish keeps a message, after AWS's own checks.
func (c *SNS) Publish(ctx context.Context, in *sns.PublishInput, _ ...func(*sns.Options)) (*sns.PublishOutput, error) {
	w := c.account.world
	if err := w.enter(ctx, "sns:Publish", in); err != nil {
		return nil, err
	}
	m, err := readMessage(in)
	if err != nil {
		return nil, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	t := w.topics[m.Topic]
	if t == nil {
		return nil, apiError(http.StatusNotFound, "NotFound", "Topic does not exist")
	}
	t.published = append(t.published, m)
	return &sns.PublishOutput{MessageId: aws.String(fmt.Sprintf("567910cd-0000-4000-8000-%012d", w.next()))}, nil
}

func invalid(why string) error {
	return apiError(http.StatusBadRequest, "InvalidParameter", "Invalid parameter: "+why)
}

func readMessage(in *sns.PublishInput) (Message, error) {
	m := Message{Topic: aws.ToString(in.TopicArn), Subject: aws.ToString(in.Subject), Texts: map[string]string{}, Attributes: map[string]string{}}
	size := len(aws.ToString(in.Message))
	for name, a := range in.MessageAttributes {
		if aws.ToString(a.DataType) != "String" || aws.ToString(a.StringValue) == "" {
			return m, apiError(http.StatusBadRequest, "ParameterValueInvalid", "The message attribute '"+name+"' must have a value of its type.")
		}
		m.Attributes[name] = aws.ToString(a.StringValue)
		size += len(name) + len("String") + len(m.Attributes[name])
	}
	switch {
	case size > 256<<10:
		return m, invalid("Message too long")
	case aws.ToString(in.Message) == "":
		return m, invalid("Empty message")
	case in.Subject != nil && !goodSubject(m.Subject):
		return m, invalid("Subject")
	}
	if aws.ToString(in.MessageStructure) != "json" {
		m.Texts["default"] = aws.ToString(in.Message)
		return m, nil
	}
	if err := json.Unmarshal([]byte(aws.ToString(in.Message)), &m.Texts); err != nil {
		return m, invalid("Message Structure - JSON message body failed to parse")
	}
	if m.Texts["default"] == "" {
		return m, invalid("Message Structure - No default entry in JSON message body")
	}
	return m, nil
}

// goodSubject holds SNS's rule: ASCII, up to 100 characters, no line break or control character, a letter, digit or
// punctuation first.
func goodSubject(s string) bool {
	return s != "" && len(s) <= 100 && s[0] != ' ' && !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' })
}
