package cli

import (
	"runtime"
	"runtime/debug"
	"testing"
)

func TestVersionLine(t *testing.T) {
	stamped := func(version string, settings ...debug.BuildSetting) *debug.BuildInfo {
		return &debug.BuildInfo{Main: debug.Module{Version: version}, Settings: settings}
	}
	revision := debug.BuildSetting{Key: "vcs.revision", Value: "0123456789abcdef0123456789abcdef01234567"}
	date := debug.BuildSetting{Key: "vcs.time", Value: "2026-11-30T14:05:06Z"}
	changed := debug.BuildSetting{Key: "vcs.modified", Value: "true"}
	for _, c := range []struct {
		name string
		info *debug.BuildInfo
		want string
	}{
		{"a release", stamped("v1.2.0", revision, date), "v1.2.0 (commit 0123456789ab, 2026-11-30)"},
		{"between releases, with changes", stamped("v1.2.1-0.20261130140506-0123456789ab+dirty", revision, date, changed), "v1.2.1-0.20261130140506-0123456789ab+dirty (commit 0123456789ab, 2026-11-30, modified)"},
		{"go run", stamped("(devel)"), "(devel)"},
		{"go install, from the module proxy", stamped("v1.2.0"), "v1.2.0"},
		{"an older go command", stamped("", revision), "(devel) (commit 0123456789ab)"},
		{"no build information", nil, "unknown"},
	} {
		want := "certdrift " + c.want + " " + runtime.Version() + " " + runtime.GOOS + "/" + runtime.GOARCH
		if got := versionLine(c.info, c.info != nil); got != want {
			t.Errorf("%s: %q, want %q", c.name, got, want)
		}
	}
}
