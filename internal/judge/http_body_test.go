package judge

import (
	"testing"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
)

func TestHTTPBody(t *testing.T) {
	body := observation.Unmet{Expectation: "body_contains", Want: "ok"}
	header := observation.Unmet{Expectation: "header", Want: "Content-Type: application/json", Got: "text/html"}
	for _, c := range []struct {
		name    string
		unmet   []observation.Unmet
		status  int
		failure *observation.Failure
		want    []finding.Code
	}{
		{"as expected", nil, 200, nil, nil},
		{"another body", []observation.Unmet{body}, 200, nil, []finding.Code{finding.HTTPBody}},
		{"another header", []observation.Unmet{header}, 200, nil, []finding.Code{finding.HTTPBody}},
		{"status first", []observation.Unmet{body}, 503, nil, []finding.Code{finding.HTTPStatus}},
		{"cut short", []observation.Unmet{body}, 200, &observation.Failure{Phase: observation.PhaseBody, Kind: observation.TimedOut}, []finding.Code{finding.HTTPTimeout}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newScene(t)
			a := ok("10.0.0.1", s.Leaf(host))
			a.HTTP.Status, a.HTTP.Unmet, a.Failure = c.status, c.unmet, c.failure
			s.HTTPS("api", host, a)
			s.only(c.want...)
		})
	}
}
