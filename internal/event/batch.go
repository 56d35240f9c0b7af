package event

import "encoding/json"

// BatchLimit is the maximum size of a batch in bytes: what Lambda passes to a function.
const BatchLimit = 6 << 20

// maxBatch is how many messages of a batch are read; the template asks for fewer.
const maxBatch = 1000

// Batch returns the events of an invocation. EventBridge puts changes into a queue, and Lambda passes what has collected there as one
// batch; anything else is a single event.
func Batch(data []byte) []json.RawMessage {
	single := []json.RawMessage{data}
	if len(data) > BatchLimit {
		return single
	}
	var in struct {
		Records []struct {
			EventSource string `json:"eventSource"`
			Body        string `json:"body"`
		} `json:"Records"`
	}
	if json.Unmarshal(data, &in) != nil || len(in.Records) == 0 {
		return single
	}
	var events []json.RawMessage
	for _, r := range in.Records[:min(len(in.Records), maxBatch)] {
		if r.EventSource != "aws:sqs" {
			return single
		}
		events = append(events, json.RawMessage(r.Body))
	}
	return events
}
