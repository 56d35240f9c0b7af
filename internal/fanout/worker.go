package fanout

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"time"

	"certdrift/internal/observation"
	"certdrift/internal/target"
)

// answerTime is kept of a worker's time for its response.
const answerTime = time.Second

// Worker answers the invocations of the function that probes for others. It is made once per cold start. It has no configuration, no
// state and no AWS client: what it is to probe is in the task.
type Worker struct {
	// Probe probes endpoints, with a revocation policy.
	Probe func(ctx context.Context, revocation string, endpoints []target.Endpoint) []observation.Endpoint
	Log   *slog.Logger
	limit int // of a response; 0 for Lambda's
}

// Handle probes the endpoints of a task. Broken endpoints, and those that there was no time for, are a result; an error means that the
// task cannot be read.
func (w *Worker) Handle(ctx context.Context, raw json.RawMessage) (Reply, error) {
	var t Task
	if err := json.Unmarshal(raw, &t); err != nil || t.Version != version {
		// What was sent may hold secrets, so the error quotes none of it.
		return Reply{}, fmt.Errorf("this is no task of version %d: the function is for the probe function alone", version)
	}
	endpoints, err := unpackEndpoints(t.Endpoints)
	if err != nil {
		w.Log.ErrorContext(ctx, "the task cannot be read", "bytes", len(t.Endpoints))
		return Reply{}, fmt.Errorf("the task's endpoints cannot be read")
	}
	probing, cancel := context.WithTimeout(ctx, time.Duration(t.Milliseconds)*time.Millisecond)
	defer cancel()
	if deadline, ok := ctx.Deadline(); ok {
		probing, cancel = context.WithDeadline(probing, deadline.Add(-answerTime))
		defer cancel()
	}
	seen := w.Probe(probing, t.Revocation, endpoints)
	reply, err := w.reply(seen)
	if err != nil {
		return Reply{}, fmt.Errorf("making the response: %w", err)
	}
	w.Log.InfoContext(ctx, "shard done", "endpoints", len(endpoints), "probed", probed(seen), "bytes", len(reply.Observations), "more", reply.More)
	return reply, nil
}

func probed(seen []observation.Endpoint) int {
	n := 0
	for _, e := range seen {
		if e.Probed {
			n++
		}
	}
	return n
}

// reply packs as many observations as fit. One that does not fit alone is replaced by the reason, so that asking again for the rest
// comes to an end.
func (w *Worker) reply(seen []observation.Endpoint) (Reply, error) {
	for n := len(seen); ; n /= 2 {
		packed, err := packObservations(seen[:n])
		if err != nil {
			return Reply{}, err
		}
		if fits(packed, w.limit) || n == 0 {
			return Reply{Version: version, Observations: packed, More: n < len(seen)}, nil
		}
		if n == 1 {
			large := observation.Endpoint{Target: seen[0].Target, Unprobed: "what was observed is larger than a worker's response may be"}
			packed, err = packObservations([]observation.Endpoint{large})
			return Reply{Version: version, Observations: packed, More: len(seen) > 1}, err
		}
	}
}
