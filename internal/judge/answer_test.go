package judge

import (
	"testing"

	"certdrift/internal/finding"
)

// TestAnswerEvidenceIsStable: two headers that are one name in evidence do not take turns.
func TestAnswerEvidenceIsStable(t *testing.T) {
	s := newScene(t)
	a := ok("10.0.0.1", s.Leaf(host))
	a.HTTP.Status, a.HTTP.Headers = 500, map[string]string{"X-Request-Id": "1", "X_request_id": "2"}
	s.HTTPS("api", host, a)
	first := s.one(finding.HTTPStatus, finding.Critical).Evidence["header_x_request_id"]
	for range 100 {
		if again := s.one(finding.HTTPStatus, finding.Critical).Evidence["header_x_request_id"]; again != first {
			t.Fatalf("%v, and then %v", first, again)
		}
	}
}
