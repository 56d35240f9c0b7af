package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
)

// hooks is CodeDeploy, as far as a lifecycle hook sees it.
type hooks struct {
	mu      sync.Mutex
	answers map[string]string // by execution
}

func (h *hooks) answer(w http.ResponseWriter, body []byte) {
	var in struct {
		DeploymentID string `json:"deploymentId"`
		Execution    string `json:"lifecycleEventHookExecutionId"`
		Status       string `json:"status"`
	}
	if err := json.Unmarshal(body, &in); err != nil || in.DeploymentID == "" || in.Execution == "" {
		http.Error(w, "no deployment or no execution", http.StatusBadRequest)
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.answers == nil {
		h.answers = map[string]string{}
	}
	h.answers[in.Execution] = in.Status
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	_ = json.NewEncoder(w).Encode(map[string]string{"lifecycleEventHookExecutionId": in.Execution})
}

func (h *hooks) status(execution string) string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.answers[execution]
}

// busEntries records what is put on the event bus; the emulator's bus fails on rules whose targets are functions.
type busEntries struct {
	mu  sync.Mutex
	all []busEntry
}

type busEntry struct{ Source, DetailType, Detail, EventBusName string }

func (b *busEntries) answer(w http.ResponseWriter, body []byte) {
	var in struct{ Entries []busEntry }
	if err := json.Unmarshal(body, &in); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	results := []map[string]string{}
	failed := 0
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, e := range in.Entries {
		var object map[string]any
		if json.Unmarshal([]byte(e.Detail), &object) != nil {
			failed++
			results = append(results, map[string]string{"ErrorCode": "MalformedDetail", "ErrorMessage": "Detail is malformed."})
			continue
		}
		b.all = append(b.all, e)
		results = append(results, map[string]string{"EventId": fmt.Sprintf("11710aed-b79e-4468-a20b-%012d", len(b.all))})
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	_ = json.NewEncoder(w).Encode(map[string]any{"FailedEntryCount": failed, "Entries": results})
}

// take returns what was put since the last call.
func (b *busEntries) take() []busEntry {
	b.mu.Lock()
	defer b.mu.Unlock()
	all := b.all
	b.all = nil
	return all
}
