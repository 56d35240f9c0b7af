package boot

import (
	"context"
	"io"
	"log/slog"
	"time"

	"certdrift/internal/config"
	"certdrift/internal/manifest"
	"certdrift/internal/observation"
	"certdrift/internal/round"
	"certdrift/internal/target"
	"certdrift/internal/trust"
)

// Options are how the command line runs a round.
type Options struct {
	// Progress is called after each endpoint; may be nil.
	Progress func(done, total int)
	Log      *slog.Logger
	// Topic and ChatTopic are SNS topic ARNs whose subscriptions are checked; where both are empty SNS is not asked.
	Topic, ChatTopic string
}

// Local runs rounds for the command line: no state, no alerts. AWS is asked only where the configuration needs it, so that
// plain endpoints are checked without credentials.
type Local struct{ Stores *trust.Stores }

// Round runs one round.
func (l Local) Round(ctx context.Context, q round.Request, o Options) (round.Result, error) {
	runners := &Runners{Now: time.Now, Stores: l.Stores, Progress: o.Progress, Log: o.Log}
	q.ObserveErrors = append(q.ObserveErrors, trustErrors(l.Stores, q.Config.Endpoints)...)
	topics := o.Topic != "" || o.ChatTopic != ""
	if round.NeedsAWS(q.Config) || topics {
		cloud, err := newCloud(ctx)
		if err != nil {
			return round.Result{}, err
		}
		cloud.reach(regionsOf(q.Config)...)
		runners.Inspector, runners.History = cloud.inspector(), cloud.historian
		runners.AlertPath = cloud.alertPath(o.Topic, o.ChatTopic, nil)
	}
	return runners.run(ctx, q)
}

// Manifests reads the manifests that a configuration on this machine names: files, directories and S3 prefixes. AWS is
// asked only where one of them is in S3.
func Manifests(ctx context.Context, file string, c config.Config, stdin io.Reader) manifest.Loaded {
	return manifest.Load(locate(file, c.Manifests), manifest.Options{Stdin: stdin, Positions: places(file, c), Remote: remote(ctx, openReader(ctx))})
}

// Declared reads the manifests at paths relative to the working directory. namespace is that of objects that name none.
// Offline, an S3 path is an error.
func Declared(ctx context.Context, paths []string, namespace string, offline bool, stdin io.Reader) manifest.Loaded {
	opts := manifest.Options{Stdin: stdin, Namespace: namespace, Plain: true}
	if !offline {
		opts.Remote = remote(ctx, openReader(ctx))
	}
	return manifest.Load(paths, opts)
}

// openReader returns a function that opens a reader of S3 and SSM, so that no client is made before one is needed.
func openReader(ctx context.Context) func() (reader, error) {
	return func() (reader, error) {
		cloud, err := newCloud(ctx)
		if err != nil {
			return nil, err
		}
		return cloud.reader(), nil
	}
}

// Inventory reads every load balancer of the caller's account in some regions, the SDK's own by default, with its
// certificates.
func Inventory(ctx context.Context, regions []string) (observation.Attached, error) {
	cloud, err := newCloud(ctx)
	if err != nil {
		return observation.Attached{}, err
	}
	cloud.reach(regions...)
	return cloud.inspector().Inspect(ctx, target.Wanted{Scope: target.Scope{Enabled: true, Walk: true, Listed: true, Regions: regions}}), nil
}
