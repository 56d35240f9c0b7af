package bus

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"

	"certdrift/internal/alert"
)

// eventBridge takes events as EventBridge does: it refuses details that are no JSON object, entry by entry.
type eventBridge struct {
	taken []types.PutEventsRequestEntry
	empty bool // answers 200 with an empty body
	err   error
}

func (e *eventBridge) PutEvents(_ context.Context, in *eventbridge.PutEventsInput, _ ...func(*eventbridge.Options)) (*eventbridge.PutEventsOutput, error) {
	if e.err != nil {
		return nil, e.err
	}
	out := &eventbridge.PutEventsOutput{}
	if e.empty {
		return out, nil
	}
	if len(in.Entries) > 10 {
		return nil, errors.New("ValidationException: entries must have at most 10 members")
	}
	for _, entry := range in.Entries {
		var object map[string]any
		if json.Unmarshal([]byte(aws.ToString(entry.Detail)), &object) != nil {
			out.FailedEntryCount++
			out.Entries = append(out.Entries, types.PutEventsResultEntry{ErrorCode: aws.String("MalformedDetail"), ErrorMessage: aws.String("Detail is malformed.")})
			continue
		}
		e.taken = append(e.taken, entry)
		out.Entries = append(out.Entries, types.PutEventsResultEntry{EventId: aws.String("1")})
	}
	return out, nil
}

func TestSend(t *testing.T) {
	e := &eventBridge{}
	b := New(e, "default")
	if err := b.Send(context.Background(), alert.Message{JSON: `{"schema": "certdrift.alert/1"}`}); err != nil {
		t.Fatal(err)
	}
	if len(e.taken) != 1 || *e.taken[0].Source != "certdrift" || *e.taken[0].EventBusName != "default" {
		t.Errorf("put %+v", e.taken)
	}
	if err := b.Send(context.Background(), alert.Message{JSON: "x"}); err == nil || !strings.Contains(err.Error(), "MalformedDetail") {
		t.Errorf("an entry that EventBridge refused gives %v", err)
	}
	e.empty = true
	if err := b.Send(context.Background(), alert.Message{JSON: "{}"}); err == nil || !strings.Contains(err.Error(), "no event ID") {
		t.Errorf("an empty response gives %v", err)
	}
	e.err = errors.New("no route")
	if err := b.Send(context.Background(), alert.Message{}); err == nil || !strings.Contains(err.Error(), `"default"`) {
		t.Errorf("error %v", err)
	}
}

// TestSummary: a summary is one event, and each of its incidents another of its own kind, in calls of at most ten. A rejected one
// is reported and does not keep back those after it.
func TestSummary(t *testing.T) {
	e := &eventBridge{}
	m := alert.Message{JSON: `{"summary": true}`}
	for i := range 23 {
		m.Incidents = append(m.Incidents, fmt.Sprintf(`{"incident": %d}`, i))
	}
	if err := New(e, "default").Send(context.Background(), m); err != nil {
		t.Fatal(err)
	}
	if len(e.taken) != 24 || *e.taken[0].DetailType != DetailType || *e.taken[23].DetailType != IncidentDetail || *e.taken[23].Detail != m.Incidents[22] {
		t.Errorf("put %d events, the first %s, the last %s", len(e.taken), *e.taken[0].DetailType, *e.taken[len(e.taken)-1].Detail)
	}
	e.taken, m.Incidents[3] = nil, "x"
	if err := New(e, "default").Send(context.Background(), m); err == nil || !strings.Contains(err.Error(), "MalformedDetail") || len(e.taken) != 23 {
		t.Errorf("%d events, error %v", len(e.taken), err)
	}
	over, cancel := context.WithCancel(context.Background())
	cancel()
	e.taken, e.err = nil, over.Err()
	if err := New(e, "default").Send(over, m); !errors.Is(err, context.Canceled) {
		t.Errorf("after the round's end: %v", err)
	}
}
