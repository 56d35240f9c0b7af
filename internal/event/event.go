// Package event decodes what EventBridge delivers: scheduled events, changes recorded by CloudTrail, ACM events and CloudWatch
// alarms. It needs no SDK, trusts nothing (a decoded change is a claim, see observation.Change) and limits everything, since
// anyone who may invoke a function can forge an event.
package event

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"certdrift/internal/observation"
)

// Kind is what an event asks for.
type Kind string

// The kinds.
const (
	// Schedule is a scheduled event, or an invocation without an event: run a full round.
	Schedule Kind = "schedule"
	// Change is a call that CloudTrail recorded and that can change what a listener serves.
	Change Kind = "change"
	// Certificate is an ACM event about a certificate.
	Certificate Kind = "certificate"
	// Alarm is a CloudWatch alarm that changed its state.
	Alarm Kind = "alarm"
	// Other is anything else, which is only counted.
	Other Kind = "other"
)

// Limit is the maximum size of an event in bytes; EventBridge's limit is 1 MiB.
const Limit = 1 << 20

// Event is one event, decoded.
type Event struct {
	Kind Kind
	ID   string
	// Name is the CloudTrail event name, or the detail type if there is none.
	Name            string
	Account, Region string
	At              time.Time
	// Change is set for the kinds Change and Certificate.
	Change *observation.Change
	// Failed is the error code of a failed call, which changed nothing.
	Failed string
	// Detail is an alarm's, for a person to read; nil otherwise.
	Detail map[string]string
}

// envelope is what every event has.
type envelope struct {
	ID         string          `json:"id"`
	DetailType string          `json:"detail-type"`
	Source     string          `json:"source"`
	Account    string          `json:"account"`
	Region     string          `json:"region"`
	Time       lenientTime     `json:"time"`
	Resources  list[string]    `json:"resources"`
	Detail     json.RawMessage `json:"detail"`
}

// Decode decodes one event. An error means that it is too large or not a JSON object; an object of an unknown kind is Other.
func Decode(data []byte) (Event, error) {
	if len(data) > Limit {
		return Event{}, fmt.Errorf("decoding an event: %d bytes exceed the %d that EventBridge delivers", len(data), Limit)
	}
	var in envelope
	trimmed := bytes.TrimSpace(data)
	if len(trimmed) == 0 || bytes.Equal(trimmed, []byte("null")) {
		return Event{Kind: Schedule}, nil
	}
	if err := json.Unmarshal(trimmed, &in); err != nil {
		return Event{}, fmt.Errorf("decoding an event: %w", err)
	}
	e := Event{
		Kind: Other, ID: word(in.ID), Name: text(in.DetailType), At: in.Time.Time,
		Account: account(in.Account), Region: region(in.Region),
	}
	switch {
	case in.DetailType == "" && in.Source == "":
		// Not an event: `aws lambda invoke` without a payload, or a Scheduler target with its own input.
		e.Kind = Schedule
	case in.DetailType == "Scheduled Event":
		e.Kind = Schedule
	case in.DetailType == "AWS API Call via CloudTrail":
		e.call(in)
	case in.Source == "aws.acm" && strings.HasPrefix(in.DetailType, "ACM Certificate "):
		e.certificate(in)
	case in.Source == "aws.cloudwatch" && in.DetailType == "CloudWatch Alarm State Change":
		e.alarm(in)
	}
	return e, nil
}

// call decodes a CloudTrail record in an envelope. The account and region of the envelope count, since EventBridge sets them.
func (e *Event) call(in envelope) {
	r, err := Record(in.Detail)
	if err != nil {
		return
	}
	e.Name, e.Failed = r.Change.Event, r.Failed
	if !r.Relevant || in.Source != sourceOf(r.Source) {
		return
	}
	e.Kind = Change
	change := r.Change
	change.Account, change.Region = e.Account, e.Region
	if change.At.IsZero() {
		change.At = e.At
	}
	e.At = change.At
	e.Change = &change
}

// certificate decodes ACM events, whose first resource is the certificate.
func (e *Event) certificate(in envelope) {
	e.Kind = Certificate
	change := observation.Change{EventID: e.ID, Event: e.Name, At: e.At, Region: e.Region, Account: e.Account, Facts: facts(in.Detail)}
	for _, name := range in.Resources.Items {
		if certificateARN(name) && len(change.Certificates) < maxItems {
			change.Certificates = append(change.Certificates, name)
		}
	}
	e.Change = &change
}

func (e *Event) alarm(in envelope) {
	e.Kind = Alarm
	var detail struct {
		AlarmName string `json:"alarmName"`
		State     struct {
			Value  string `json:"value"`
			Reason string `json:"reason"`
		} `json:"state"`
	}
	if json.Unmarshal(in.Detail, &detail) != nil {
		return
	}
	e.Detail = map[string]string{
		"alarm": text(detail.AlarmName), "state": word(detail.State.Value), "reason": text(detail.State.Reason),
	}
}

// facts returns the scalar fields of a detail object as text.
func facts(detail json.RawMessage) map[string]string {
	var fields map[string]any
	if json.Unmarshal(detail, &fields) != nil {
		return nil
	}
	out := map[string]string{}
	for name, value := range fields {
		switch value.(type) {
		case string, bool, float64:
			if len(fields) <= maxItems {
				out[word(name)] = text(fmt.Sprint(value))
			}
		}
	}
	return out
}
