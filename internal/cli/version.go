package cli

import (
	"cmp"
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"
)

func (a *App) version() *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "Print certdrift's version, its commit and the commit's date",
		Example: `  certdrift version`,
		Args:    noArgs, ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(*cobra.Command, []string) error {
			_, err := fmt.Fprintln(a.Stdout, versionLine(debug.ReadBuildInfo()))
			return err
		},
	}
}

// versionLine says what the go command stamped into the binary: the version, which is the commit's tag if it has one, the commit, its
// date, and whether the tree had been changed. `go run` stamps none of these.
func versionLine(info *debug.BuildInfo, ok bool) string {
	version, commit := "unknown", []string{}
	if ok {
		version = cmp.Or(info.Main.Version, "(devel)")
		vcs := map[string]string{}
		for _, s := range info.Settings {
			vcs[s.Key] = s.Value
		}
		if revision := vcs["vcs.revision"]; revision != "" {
			commit = append(commit, "commit "+revision[:min(len(revision), 12)])
		}
		if date, _, dated := strings.Cut(vcs["vcs.time"], "T"); dated {
			commit = append(commit, date)
		}
		if vcs["vcs.modified"] == "true" {
			commit = append(commit, "modified")
		}
	}
	if len(commit) > 0 {
		version += " (" + strings.Join(commit, ", ") + ")"
	}
	return fmt.Sprintf("certdrift %s %s %s/%s", version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
}
