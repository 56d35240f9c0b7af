package lambda

import (
	"encoding/json"
	"testing"
	"time"
)

// FuzzReadVerify: whatever a pipeline sends is understood or refused; nothing makes verify wait forever or poll without pause.
func FuzzReadVerify(f *testing.F) {
	for _, input := range []string{
		`{}`, `{"environment": "staging, dev", "wait": "5m", "interval": "10s", "fail_on": "warning"}`, `{"environment": ["a"]}`, `{"wait": "-5m"}`, `[]`, `{} {}`,
		`{"DeploymentId": "d-1", "LifecycleEventHookExecutionId": "e-1", "Later": 1}`, `{"interval": "1ms"}`, `null`,
	} {
		f.Add([]byte(input))
	}
	f.Fuzz(func(t *testing.T, input []byte) {
		q, err := readVerify(json.RawMessage(input))
		if err != nil {
			return
		}
		if q.wait < 0 || q.interval < time.Second || (q.Deployment == "") != (q.Execution == "") {
			t.Fatalf("%q is read as %+v", input, q)
		}
	})
}
