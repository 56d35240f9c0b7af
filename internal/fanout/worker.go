package fanout

import (
	"context"
	"encoding/json"
	"errors"
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
	// What was sent may hold secrets, so the errors quote none of it.
	if err := json.Unmarshal(raw, &t); err != nil || t.Version == 0 {
		return Reply{}, errors.New("this is no task: the function is for the probe function alone")
	}
	if t.Version != version {
		return Reply{}, fmt.Errorf("the task has version %d, not %d: is the same version of both functions deployed?", t.Version, version)
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

// reply packs as many observations as fit.
func (w *Worker) reply(seen []observation.Endpoint) (Reply, error) {
	all, err := newPacker(seen, w.limit)
	if err != nil {
		return Reply{}, err
	}
	packed, more, err := all.packFirst()
	return Reply{Version: version, Observations: packed, More: more}, err
}
