// Package bus publishes alerts to an EventBridge bus, so that rules can route them anywhere.
package bus

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"

	"certdrift/internal/alert"
	"certdrift/internal/awsio/awserr"
)

// What rules match on. The detail is the document of docs/alert.schema.json.
const (
	Source     = "certdrift"
	DetailType = "certdrift Alert"
)

// busAPI is the part of EventBridge that Bus uses.
type busAPI interface {
	PutEvents(context.Context, *eventbridge.PutEventsInput, ...func(*eventbridge.Options)) (*eventbridge.PutEventsOutput, error)
}

// Bus is one event bus.
type Bus struct {
	client busAPI
	name   string
}

// New returns a Bus; name is "default", another bus's name, or an ARN.
func New(client busAPI, name string) *Bus { return &Bus{client: client, name: name} }

// Send publishes one message. EventBridge answers 200 even where it rejects an entry, and says so in the entry. Only an event
// ID shows that it accepted it.
func (b *Bus) Send(ctx context.Context, m alert.Message) error {
	out, err := b.client.PutEvents(ctx, &eventbridge.PutEventsInput{Entries: []types.PutEventsRequestEntry{{
		EventBusName: aws.String(b.name), Source: aws.String(Source), DetailType: aws.String(DetailType), Detail: aws.String(m.JSON),
	}}})
	if err != nil {
		return &awserr.Error{Doing: fmt.Sprintf("putting an event on the bus %q", b.name), Err: err}
	}
	for _, e := range out.Entries {
		if e.ErrorCode != nil {
			return fmt.Errorf("putting an event on the bus %q: %s: %s", b.name, *e.ErrorCode, aws.ToString(e.ErrorMessage))
		}
	}
	if len(out.Entries) == 0 || aws.ToString(out.Entries[0].EventId) == "" {
		return fmt.Errorf("putting an event on the bus %q: the response has no event ID, so nothing shows that the event was accepted", b.name)
	}
	return nil
}
