// Package sns publishes alerts to SNS topics: one message with a text of its own for each protocol.
package sns

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"

	"certdrift/internal/alert"
	"certdrift/internal/awsio/awserr"
)

// maxMessage is SNS's limit for body and attributes together, in bytes.
const maxMessage = 256 << 10

// topicAPI is the part of SNS used here.
type topicAPI interface {
	Publish(context.Context, *sns.PublishInput, ...func(*sns.Options)) (*sns.PublishOutput, error)
}

// Topic publishes to one topic.
type Topic struct {
	client topicAPI
	arn    string
	chat   bool
}

// New makes a Topic for people and machines.
func New(client topicAPI, arn string) *Topic { return &Topic{client: client, arn: arn} }

// NewChat makes a Topic that Amazon Q Developer in chat applications reads: it gets the message's Chat and nothing else,
// since anything outside that schema is dropped silently.
func NewChat(client topicAPI, arn string) *Topic { return &Topic{client: client, arn: arn, chat: true} }

// ARN is the topic's.
func (t *Topic) ARN() string { return t.arn }

// Send publishes one message; it is sent only if SNS returned a message ID. SNS delivers it at least once; whether to send it
// at all is up to the caller. For a chat topic, a message without Chat is not sent.
func (t *Topic) Send(ctx context.Context, m alert.Message) error {
	in, err := t.input(m)
	if err != nil || in == nil {
		return err
	}
	if size := sizeOf(in); size > maxMessage {
		return fmt.Errorf("publishing to the topic %q: %d bytes are more than SNS accepts", t.arn, size)
	}
	out, err := t.client.Publish(ctx, in)
	if err == nil && aws.ToString(out.MessageId) == "" {
		err = errors.New("the response has no message ID, so nothing shows that the message was accepted")
	}
	if err != nil {
		return &awserr.Error{Doing: fmt.Sprintf("publishing to the topic %q", t.arn), Err: err}
	}
	return nil
}

func (t *Topic) input(m alert.Message) (*sns.PublishInput, error) {
	in := &sns.PublishInput{TopicArn: aws.String(t.arn), MessageAttributes: attributes(m.Attributes)}
	if t.chat {
		if m.Chat == "" {
			return nil, nil
		}
		in.Message = aws.String(m.Chat)
		return in, nil
	}
	if m.Default == "" {
		return nil, errors.New("publishing an alert: it has no default text, which SNS requires")
	}
	texts := map[string]string{"default": m.Default}
	for protocol, text := range map[string]string{
		"email": m.Email, "sms": m.SMS, "email-json": m.JSON, "sqs": m.JSON, "lambda": m.JSON, "http": m.JSON, "https": m.JSON,
	} {
		if text != "" {
			texts[protocol] = text
		}
	}
	body, err := json.Marshal(texts)
	if err != nil {
		return nil, fmt.Errorf("encoding an alert: %w", err)
	}
	in.Message, in.MessageStructure = aws.String(string(body)), aws.String("json")
	if s := subject(m.Subject); s != "" {
		in.Subject = aws.String(s)
	}
	return in, nil
}

// subject applies SNS's rule, which rejects the whole message if its subject violates it: printable ASCII on one line, at
// most 100 characters, a letter, digit or punctuation first. An alert must not be lost over its subject.
func subject(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\r' || r == '\t':
			return ' '
		case r < ' ' || r > '~':
			return '?'
		}
		return r
	}, s)
	s = strings.TrimSpace(s)
	return strings.TrimSpace(s[:min(len(s), alert.SubjectLimit)])
}

// attributes converts message attributes; SNS rejects empty ones, which mean nothing to a filter policy anyway.
func attributes(from map[string]string) map[string]types.MessageAttributeValue {
	out := map[string]types.MessageAttributeValue{
		// A text message about a broken service is not marketing: it goes out at the highest reliability.
		"AWS.SNS.SMS.SMSType": {DataType: aws.String("String"), StringValue: aws.String("Transactional")},
	}
	for name, value := range from {
		if value != "" {
			out[name] = types.MessageAttributeValue{DataType: aws.String("String"), StringValue: aws.String(value)}
		}
	}
	return out
}

func sizeOf(in *sns.PublishInput) int {
	size := len(aws.ToString(in.Message))
	for name, a := range in.MessageAttributes {
		size += len(name) + len(aws.ToString(a.DataType)) + len(aws.ToString(a.StringValue))
	}
	return size
}
