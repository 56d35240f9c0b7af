package cli

import (
	"context"
	"io"

	"certdrift/internal/chain"
	"certdrift/internal/config"
	"certdrift/internal/finding"
	"certdrift/internal/manifest"
	"certdrift/internal/observation"
	"certdrift/internal/plan"
	"certdrift/internal/report"
	"certdrift/internal/target"
)

// Parts are what the commands run. A nil part takes its command off the tree.
type Parts struct {
	// Load reads a configuration and what it names; an error means that the file itself could not be read.
	Load func(path string) (config.Config, []observation.Diagnostic, error)
	// Parse reads a configuration from memory; name stands for it in faults.
	Parse func(name string, yaml []byte) (config.Config, []observation.Diagnostic)
	// Schema is the configuration's JSON Schema.
	Schema func() ([]byte, error)
	// Roots gives the trust stores to judge by.
	Roots func(target.Roots) *chain.Store
	// Manifests reads the manifests that the configuration in file names.
	Manifests func(ctx context.Context, file string, c config.Config, stdin io.Reader) manifest.Loaded
	// Declared reads the manifests at paths of the working directory; offline, nothing but files.
	Declared func(ctx context.Context, paths []string, namespace string, offline bool, stdin io.Reader) manifest.Loaded
	// Plan tells what applying a plan's manifests would do.
	Plan func(ctx context.Context, plan Plan, offline bool) (Preview, error)
	// Inventory reads the account's load balancers in some regions; the SDK's own where none is named.
	Inventory func(ctx context.Context, regions []string) (observation.Attached, error)
	// Round runs one round. What was seen before the context ended is in the Outcome.
	Round func(context.Context, Plan) (Outcome, error)
	// Cloud reaches a deployed stack.
	Cloud Cloud
	// Demo replays the incident, and gives its worst round.
	Demo func(context.Context, io.Writer, report.Style) (Outcome, error)
}

// Plan is what a round is to look at.
type Plan struct {
	Config      config.Config
	Diagnostics []observation.Diagnostic
	Manifests   []observation.Declaration
	// ObserveErrors are what went wrong before the round began: manifests that AWS kept back.
	ObserveErrors []observation.ObserveError
	// Topic and ChatTopic are topics whose subscriptions are to be looked at; empty for none. Environments are all of the
	// configuration, where Config is narrowed to some.
	Topic, ChatTopic string
	Environments     []string
	// Stderr takes what the round has to say beside its result.
	Stderr io.Writer
	// Progress is told of each endpoint done.
	Progress func(done, total int)
}

// declare adds what manifests declare. One that cannot be read is told as a finding: what it declares is not known, and all
// else can be judged.
func (p *Plan) declare(read manifest.Loaded) {
	p.Manifests = read.Declared
	p.Diagnostics = append(p.Diagnostics, read.Diagnostics...)
	observation.SortDiagnostics(p.Diagnostics)
	p.ObserveErrors = append(p.ObserveErrors, read.ObserveErrors...)
}

// Preview is what applying manifests would do.
type Preview struct {
	Outcome
	Rows []plan.Row
}

// Outcome is what a round saw and concluded.
type Outcome struct {
	Round      observation.Round
	Conclusion finding.Conclusion
}
