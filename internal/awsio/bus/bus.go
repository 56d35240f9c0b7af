// Package bus publishes alerts to an EventBridge bus, so that rules can route them anywhere.
package bus

import (
	"context"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"

	"certdrift/internal/alert"
	"certdrift/internal/awsio/awserr"
)

// What rules match on. The detail is the document of docs/alert.schema.json. An incident that an alert sums up with others is an
// event of its own besides: people want one message, a machine closes what it has opened.
const (
	Source         = "certdrift"
	DetailType     = "certdrift Alert"
	IncidentDetail = "certdrift Incident"
)

// maxEntries is how many events PutEvents takes in one call; in bytes it takes far more than so many documents have.
const maxEntries = 10

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

// Send publishes one message, and the incidents that it sums up. An event that is rejected does not keep the others back.
func (b *Bus) Send(ctx context.Context, m alert.Message) error {
	entries := []types.PutEventsRequestEntry{b.entry(DetailType, m.JSON)}
	for _, document := range m.Incidents {
		entries = append(entries, b.entry(IncidentDetail, document))
	}
	var first error
	for batch := range slices.Chunk(entries, maxEntries) {
		if err := b.put(ctx, batch); err != nil && first == nil {
			first = err
		}
		if ctx.Err() != nil {
			break
		}
	}
	return first
}

func (b *Bus) entry(detailType, detail string) types.PutEventsRequestEntry {
	return types.PutEventsRequestEntry{
		EventBusName: aws.String(b.name), Source: aws.String(Source), DetailType: aws.String(detailType), Detail: aws.String(detail),
	}
}

// put sends some events. EventBridge answers 200 even where it rejects an entry, and says so in the entry. Only an event ID shows
// that it accepted it.
func (b *Bus) put(ctx context.Context, entries []types.PutEventsRequestEntry) error {
	out, err := b.client.PutEvents(ctx, &eventbridge.PutEventsInput{Entries: entries})
	if err != nil {
		return &awserr.Error{Doing: fmt.Sprintf("putting an event on the bus %q", b.name), Err: err}
	}
	for _, e := range out.Entries {
		if e.ErrorCode != nil {
			return fmt.Errorf("putting an event on the bus %q: %s: %s", b.name, *e.ErrorCode, aws.ToString(e.ErrorMessage))
		}
	}
	for i := range entries {
		if i >= len(out.Entries) || aws.ToString(out.Entries[i].EventId) == "" {
			return fmt.Errorf("putting an event on the bus %q: the response has no event ID, so nothing shows that the event was accepted", b.name)
		}
	}
	return nil
}
