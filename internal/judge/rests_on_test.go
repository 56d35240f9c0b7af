package judge

import (
	"slices"
	"testing"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
	"certdrift/internal/target"
)

// Every finding says what it rests on; that is what an incident waits for before it recovers.
func TestEveryFindingRestsOnSomething(t *testing.T) {
	for name, build := range savedScenes {
		for _, f := range build(t).judge().Findings {
			if len(f.RestsOn) == 0 {
				t.Errorf("%s: %s rests on nothing", name, f.Code)
			}
		}
	}
}

func TestRestsOn(t *testing.T) {
	const api, listener = "production/api", account + "/" + region + "/a1:443"
	for name, c := range map[string]struct {
		scene func(*testing.T) *scene
		code  finding.Code
		want  []finding.Fact
	}{
		"drift-attached": {func(t *testing.T) *scene { s, _, _ := driftedScene(t); return s }, finding.DriftAttached, []finding.Fact{
			{Kind: finding.FactCertificate, Resource: arnOf("right")}, {Kind: finding.FactCertificate, Resource: arnOf("wrong")}, {Kind: finding.FactListener, Resource: listener}, {Kind: finding.FactPlacement, Endpoint: api}}},
		"a declared ARN that ACM was not asked for": {func(t *testing.T) *scene {
			s, _, _ := driftedScene(t)
			s.Round.Endpoints[0].Target.Declared = &target.Declared{ARN: arnOf("unread")}
			return s
		}, finding.DriftAttached, []finding.Fact{{Kind: finding.FactCertificate, Resource: arnOf("wrong")}, {Kind: finding.FactListener, Resource: listener}, {Kind: finding.FactPlacement, Endpoint: api}}},
		"a connection": {func(t *testing.T) *scene {
			s := newScene(t)
			s.HTTPS("api", host, failing("10.0.0.1", observation.PhaseConnect, observation.Refused))
			return s
		}, finding.ConnectRefused, []finding.Fact{{Kind: finding.FactConnection, Endpoint: api, Resource: "10.0.0.1:443"}}},
		"a redirect's hop": {func(t *testing.T) *scene {
			s := newScene(t)
			s.HTTPS("api", host, redirecting(s, 500, "www.example.org"))
			return s
		}, finding.HTTPStatus, []finding.Fact{{Kind: finding.FactResponse, Endpoint: api}}},
		"a manifest": {func(t *testing.T) *scene { return manifested(t, "stale", "good", "good") }, finding.DriftManifest, []finding.Fact{
			{Kind: finding.FactCertificate, Resource: arnOf("good")}, {Kind: finding.FactCertificate, Resource: arnOf("stale")}, {Kind: finding.FactClock},
			{Kind: finding.FactListener, Resource: listener}, {Kind: finding.FactManifest, Resource: "k8s/api.yaml", Object: "Service production/api"}, {Kind: finding.FactPlacement, Endpoint: api}}},
	} {
		t.Run(name, func(t *testing.T) {
			found := c.scene(t).has(c.code)
			if len(found) == 0 {
				t.Fatal("no finding")
			}
			if f := found[0]; !slices.Equal(f.RestsOn, c.want) {
				t.Errorf("rests on %+v, want %+v", f.RestsOn, c.want)
			}
		})
	}
}
