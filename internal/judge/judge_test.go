package judge

import (
	"encoding/json"
	"strings"
	"testing"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
)

func TestJudgeCatchesAPanickingRule(t *testing.T) {
	s := newScene(t)
	s.HTTPS("api", host, failing("10.0.0.1", observation.PhaseConnect, observation.Refused))
	s.HTTPS("ui", host, failing("10.0.0.2", observation.PhaseConnect, observation.Refused))
	broken := rule{
		Code: finding.HTTPSlow,
		connection: func(c *connection) []finding.Finding {
			if c.endpoint.Target.Name == "api" {
				panic("boom\x1b[31m")
			}
			return []finding.Finding{c.finding(finding.HTTPSlow, finding.Info, "judged", nil, "")}
		},
	}
	out := newJudgment(s.input()).conclude(append([]rule{broken}, rules()...))
	if out.Complete {
		t.Error("complete, though a rule failed")
	}
	got := codes(out.Findings)
	want := []finding.Code{finding.ConnectRefused, finding.ConnectRefused, finding.HTTPSlow, finding.ObserveIncomplete}
	if len(got) != len(want) {
		t.Fatalf("findings %v, want %v", got, want)
	}
	for _, f := range out.Findings {
		if f.Code == finding.ObserveIncomplete && (f.Evidence["failed"] != "the rule http-slow" || strings.Contains(f.Evidence["error"].(string), "\x1b")) {
			t.Errorf("%+v", f)
		}
	}
}

func TestJudgeSurvivesWithoutTrustStores(t *testing.T) {
	s := newScene(t)
	s.HTTPS("api", host, ok("10.0.0.1", s.Leaf(host)))
	in := s.input()
	in.Roots = nil
	out := Judge(in)
	if out.Complete || len(out.Findings) == 0 || out.Findings[0].Code != finding.ObserveIncomplete {
		t.Errorf("complete %v, %v", out.Complete, codes(out.Findings))
	}
}

func TestJudgeIsDeterministic(t *testing.T) {
	s, right, _ := driftedScene(t)
	for _, name := range []string{"z", "y", "x"} {
		behind(s.HTTPS(name, host, s.Round.Endpoints[0].Addresses...), "a1", right)
	}
	s.Round.ObserveErrors = []observation.ObserveError{{Kind: observation.Denied, Operation: "b"}, {Kind: observation.Denied, Operation: "a"}}
	s.HTTPS("m", host, ok("10.0.0.1", s.Leaf(host)), ok("10.0.0.2", s.Leaf(host)), failing("10.0.0.3", observation.PhaseTLS, observation.Reset))
	first := asJSON(t, s.judge())
	for range 20 {
		if again := asJSON(t, s.judge()); again != first {
			t.Fatalf("two judgements of one round differ:\n%s\n%s", first, again)
		}
	}
}

func TestJudgeLeavesTheRoundAsItWas(t *testing.T) {
	s, _, _ := driftedScene(t)
	before := asJSON(t, s.Round)
	s.judge()
	if asJSON(t, s.Round) != before {
		t.Error("judging changed the round")
	}
}

func asJSON(t testing.TB, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
