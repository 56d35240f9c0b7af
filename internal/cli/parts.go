package cli

import (
	"context"
	"io"
	"log/slog"

	"certdrift/internal/boot"
	"certdrift/internal/chain"
	"certdrift/internal/config"
	"certdrift/internal/manifest"
	"certdrift/internal/observation"
	"certdrift/internal/report"
	"certdrift/internal/round"
	"certdrift/internal/target"
)

// Parts are what the commands run. A nil part removes its command.
type Parts struct {
	// Load reads a configuration and what it names; an error means that the file itself could not be read.
	Load func(path string) (config.Config, []observation.Diagnostic, error)
	// Parse reads a configuration from memory; name is its name in diagnostics.
	Parse func(name string, yaml []byte) (config.Config, []observation.Diagnostic)
	// Schema is the configuration's JSON Schema.
	Schema func() ([]byte, error)
	// Roots returns the trust stores to judge by.
	Roots func(target.Roots) *chain.Store
	// Manifests reads the manifests that the configuration in file names.
	Manifests func(ctx context.Context, file string, c config.Config, stdin io.Reader) manifest.Loaded
	// Declared reads the manifests at paths of the working directory; offline, nothing but files.
	Declared func(ctx context.Context, paths []string, namespace string, offline bool, stdin io.Reader) manifest.Loaded
	// Plan returns what applying a request's manifests would do.
	Plan func(ctx context.Context, q round.Request, offline bool, log *slog.Logger) (boot.Planned, error)
	// Inventory reads the account's load balancers in some regions; the SDK's own where none is named.
	Inventory func(ctx context.Context, regions []string) (observation.Attached, error)
	// Round runs one round. What was seen before the context ended is in the result.
	Round func(ctx context.Context, q round.Request, o boot.Options) (round.Result, error)
	// Cloud reaches a deployed stack.
	Cloud Cloud
	// Demo replays the incident, and returns its worst round.
	Demo func(context.Context, io.Writer, report.Style) (round.Result, error)
}

// declare adds what manifests declare. One that cannot be read is reported as a finding: what it declares is not known, and
// everything else can still be judged.
func declare(q *round.Request, read manifest.Loaded) {
	q.Manifests, q.PassedOver = read.Declared, read.PassedOver
	q.Diagnostics = append(q.Diagnostics, read.Diagnostics...)
	observation.SortDiagnostics(q.Diagnostics)
	q.ObserveErrors = append(q.ObserveErrors, read.ObserveErrors...)
}
