// Package config reads certdrift.yaml strictly: from bytes to targets and policies. All errors are reported at once, each with
// its line and a hint. An endpoint with an error is left out, and the others stay.
//
// Reading takes two steps. The decoder fills a File from the YAML nodes and records the position of each value; the builder
// checks the values and builds a Config. Neither stops at an error.
package config

import (
	"fmt"
	"time"

	"github.com/goccy/go-yaml/ast"

	"certdrift/internal/observation"
	"certdrift/internal/policy"
	"certdrift/internal/target"
	"certdrift/internal/yamldoc"
)

const (
	// maxConfig is the maximum size of the configuration in bytes: ten thousand endpoints take about 3 MiB.
	maxConfig = 4 << 20
	// maxFile is the maximum size of each file that it names.
	maxFile = 1 << 20
)

// Config is a checked configuration, with defaults filled in and the files it names read.
type Config struct {
	Policy       policy.Thresholds
	Incidents    policy.Alerting
	Endpoints    []target.Endpoint // in the file's order
	Scope        target.Scope
	Certificates []target.CertificateFile
	// OtherEvery is how often scheduled rounds ask a server that is not known to have two certificates whether it does.
	OtherEvery time.Duration
	// Manifests are paths, globs or s3:// prefixes, as written; the manifest package reads them.
	Manifests []string
	// ManifestsAt has their positions in the file.
	ManifestsAt map[string]target.Position
	// MetricsPerCertificate asks for the days to expiry of every certificate, once a day.
	MetricsPerCertificate bool
	// MetricsWhileFailing asks for separate metrics for endpoints while they fail.
	MetricsWhileFailing bool
	// HeartbeatURL is called after every successful round; empty for none. Heartbeat services put a token into the path.
	HeartbeatURL target.Secret
}

// Options say where a configuration comes from.
type Options struct {
	// File is its name in diagnostics and positions.
	File string
	// ReadFile reads a file that the configuration names, relative to it. If nil, such keys are errors.
	ReadFile func(name string) ([]byte, error)
}

// Load reads a configuration. The Config has everything valid even if there are errors: a diagnostic with an Endpoint means
// that this endpoint was left out; one without concerns the whole file, and the caller may reject it.
func Load(data []byte, opts Options) (Config, []observation.Diagnostic) {
	b := &builder{decoder: newDecoder(opts.File), files: files{read: opts.ReadFile}}
	b.read(data)
	cfg := b.build()
	return cfg, b.sorted(b.names())
}

// read fills the builder's File.
func (b *builder) read(data []byte) {
	start := target.Position{File: b.file, Line: 1, Column: 1}
	if len(data) > maxConfig {
		b.report(start, nil, fmt.Sprintf("the file is larger than %d MiB", maxConfig>>20), "split it into several configurations")
		return
	}
	parsed, problem := yamldoc.Parse(data)
	if problem != nil {
		at := target.Position{File: b.file, Line: problem.Line, Column: problem.Column}
		b.report(at, nil, problem.Message, problem.Hint)
		return
	}
	var body ast.Node
	documents := 0
	for _, doc := range parsed.Docs {
		if _, directive := doc.Body.(*ast.DirectiveNode); directive {
			continue
		}
		if documents++; documents == 1 {
			body = doc.Body
			continue
		}
		at := start
		if doc.Start != nil && doc.Start.Position != nil {
			at.Line, at.Column = max(doc.Start.Position.Line, 1), max(doc.Start.Position.Column, 1)
		} else if doc.Body != nil {
			at = b.position(doc.Body)
		}
		b.report(at, nil, "a second document begins here", "keep one document in the file; remove the line ---")
	}
	if _, null := body.(*ast.NullNode); null || body == nil {
		b.report(start, nil, "the file is empty", "run `certdrift init`, or begin with certdrift.example.yaml")
		return
	}
	b.decodeFile(body)
}
