package round

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"certdrift/internal/config"
	"certdrift/internal/finding"
	"certdrift/internal/observation"
	"certdrift/internal/target"
)

func TestIn(t *testing.T) {
	c := config.Config{Endpoints: []target.Endpoint{{Environment: "production", Name: "a"}, {Environment: "staging", Name: "a"}, {Name: "https://x"}}}
	faults := []observation.Diagnostic{{Message: "of the file"}, {Environment: "staging", Endpoint: "b"}, {Environment: "dev", Endpoint: "c"}}
	if diff := cmp.Diff([]string{"production", "staging", "dev"}, Environments(c, faults)); diff != "" {
		t.Error(diff)
	}
	got, left := In([]string{"staging"}, c, faults)
	if len(got.Endpoints) != 2 || got.Endpoints[0].Key() != "staging/a" || got.Endpoints[1].Name != "https://x" {
		t.Errorf("endpoints: %v", got.Endpoints)
	}
	if diff := cmp.Diff(faults[:2], left); diff != "" {
		t.Error(diff)
	}
	if len(c.Endpoints) != 3 || c.Endpoints[1].Key() != "staging/a" {
		t.Error("the configuration itself was changed")
	}
}

func TestAbout(t *testing.T) {
	fs := []finding.Finding{
		{Code: finding.DriftAttached, Environment: "staging", Listener: "a:443"},
		{Code: finding.ListenerUnmanaged, Listener: "b:443"},
		{Code: finding.DriftManifest},
		{Code: finding.ObserveDenied},
	}
	if got := About(nil, fs); len(got) != 4 {
		t.Errorf("a whole round keeps all, but has %d", len(got))
	}
	if diff := cmp.Diff([]finding.Finding{fs[0], fs[3]}, About([]string{"staging"}, fs)); diff != "" {
		t.Error(diff)
	}
}
