package incident

import (
	"testing"

	"certdrift/internal/finding"
)

// What a round found without asking who changed it keeps the author that is known; another finding's is not taken, nor one in place of what
// this round knows.
func TestAnAuthorThatIsKnownIsKept(t *testing.T) {
	by := func(name string) finding.Attribution { return finding.Attribution{Change: &finding.Change{Name: name}} }
	known := finding.Finding{Code: finding.DriftManifest, Endpoint: "api", Listener: "lb:443", Attribution: by("jane")}
	for name, c := range map[string]struct {
		found finding.Finding
		want  string
	}{
		"the same":             {finding.Finding{Code: finding.DriftManifest, Endpoint: "api", Listener: "lb:443"}, "jane"},
		"without its listener": {finding.Finding{Code: finding.DriftManifest, Endpoint: "api"}, "jane"},
		"at another listener":  {finding.Finding{Code: finding.DriftManifest, Endpoint: "api", Listener: "other:443"}, ""},
		"of another endpoint":  {finding.Finding{Code: finding.DriftManifest, Endpoint: "ui"}, ""},
		"of another code":      {finding.Finding{Code: finding.DriftAttached, Endpoint: "api", Listener: "lb:443"}, ""},
		"changed again":        {finding.Finding{Code: finding.DriftManifest, Endpoint: "api", Listener: "lb:443", Attribution: by("john")}, "john"},
		"changed again, by nobody known": {finding.Finding{
			Code: finding.DriftManifest, Endpoint: "api", Listener: "lb:443", Attribution: finding.Attribution{Unknown: "CloudTrail could not be read"},
		}, ""},
	} {
		found := []finding.Finding{c.found}
		keepAuthors(found, []finding.Finding{known})
		got := ""
		if change := found[0].Attribution.Change; change != nil {
			got = change.Name
		}
		if got != c.want {
			t.Errorf("%s: by %q, want %q", name, got, c.want)
		}
	}
}
