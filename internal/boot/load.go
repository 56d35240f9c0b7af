package boot

import (
	"cmp"
	"context"
	"errors"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"certdrift/internal/awsio/awserr"
	"certdrift/internal/awsio/source"
	"certdrift/internal/config"
	"certdrift/internal/manifest"
	"certdrift/internal/observation"
	"certdrift/internal/policy"
	"certdrift/internal/round"
	"certdrift/internal/target"
)

// reader reads what is in the deployment package, in S3 or in SSM.
type reader interface {
	Read(ctx context.Context, place string) ([]byte, error)
	Files(ctx context.Context, place string) ([]source.File, error)
}

// fresh is how long a configuration is used before it is read again; loadTime bounds reading it, with all that it names: in a
// VPC without a route to S3 nothing answers, and there must be time left to send the alert about that.
const (
	fresh    = time.Minute
	loadTime = 15 * time.Second
)

// loader reads the configuration as a round's request, again after a while: it may have changed in S3 or SSM. Where it can
// no longer be read, or has so many errors that no endpoint is left, the last good one stays in use, and the round reports
// what is wrong.
type loader struct {
	reader   reader
	location string
	now      func() time.Time

	mu   sync.Mutex
	last *round.Request
	read time.Time
}

// load returns the configuration. With an error there is none, and the request holds the diagnostic to report.
func (l *loader) load(ctx context.Context) (round.Request, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.last != nil && l.now().Sub(l.read) < fresh {
		return *l.last, nil
	}
	patience := loadTime
	if l.last != nil {
		patience /= 3 // there is something to fall back on
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	data, err := l.reader.Read(ctx, l.location)
	if err != nil {
		return l.unread(err)
	}
	made := read(ctx, l.reader, l.location, data)
	if l.last != nil && len(l.last.Config.Endpoints) > 0 && len(made.Config.Endpoints) == 0 && round.Fatal(made.Diagnostics) {
		stale := *l.last
		stale.Diagnostics = slices.Concat(stale.Diagnostics, made.Diagnostics)
		observation.SortDiagnostics(stale.Diagnostics)
		return stale, nil
	}
	l.last, l.read = &made, l.now()
	return made, nil
}

// unread returns what replaces a configuration that cannot be read: the last good one, or none.
func (l *loader) unread(err error) (round.Request, error) {
	if l.last == nil {
		return unconfigured(l.location, err), err
	}
	stale := *l.last
	stale.ObserveErrors = append(slices.Clone(stale.ObserveErrors), observation.ObserveError{
		Kind: observation.Incomplete, Operation: "configuration", Resource: l.location,
		Detail: "the configuration cannot be read again; the last good one stays in use: " + err.Error(),
	})
	return stale, nil
}

// unconfigured returns a request that monitors nothing and says why.
func unconfigured(location string, err error) round.Request {
	fault := observation.Diagnostic{
		Position: target.Position{File: location}, Message: "nothing is monitored: the configuration cannot be read: " + err.Error(),
		Hint: "check the stack's parameters ConfigBucket, ConfigKey and ConfigParameter",
	}
	if known, ok := errors.AsType[*source.Error](err); ok {
		fault.Message = "nothing is monitored: the configuration cannot be read: " + awserr.Text(known.Err)
		fault.Hint = cmp.Or(known.Advice, fault.Hint)
	}
	return round.Request{
		Config: config.Config{Policy: policy.DefaultThresholds(), Incidents: policy.DefaultAlerting()}, Diagnostics: []observation.Diagnostic{fault},
	}
}

// read parses a configuration and reads the files and manifests that it names.
func read(ctx context.Context, from reader, location string, data []byte) round.Request {
	var out round.Request
	out.Config, out.Diagnostics = config.Load(data, config.Options{
		File: location, ReadFile: func(name string) ([]byte, error) { return from.Read(ctx, beside(location, name)) },
	})
	read := manifest.Load(locate(location, out.Config.Manifests), manifest.Options{
		Remote: remote(ctx, func() (reader, error) { return from, nil }), Positions: places(location, out.Config),
	})
	out.Manifests, out.ObserveErrors = read.Declared, read.ObserveErrors
	out.Diagnostics = append(out.Diagnostics, read.Diagnostics...)
	observation.SortDiagnostics(out.Diagnostics)
	return out
}

// beside returns the location of a file that a configuration names. SSM has no files beside a parameter: the deployment
// package holds them.
func beside(location, name string) string {
	switch {
	case strings.Contains(name, "://") || path.IsAbs(name):
		return name
	case strings.HasPrefix(location, "s3://"):
		bucket, key, _ := strings.Cut(strings.TrimPrefix(location, "s3://"), "/")
		return "s3://" + bucket + "/" + path.Join(path.Dir(key), name)
	case strings.HasPrefix(location, "ssm://"):
		return name
	}
	return path.Join(path.Dir(location), name)
}

func locate(location string, names []string) []string {
	var out []string
	for _, name := range names {
		if name != "-" {
			name = beside(location, name)
		}
		out = append(out, name)
	}
	return out
}

// places are where a configuration names its manifests, by where these lie.
func places(location string, c config.Config) map[string]target.Position {
	out := map[string]target.Position{}
	for name, at := range c.ManifestsAt {
		out[locate(location, []string{name})[0]] = at
	}
	return out
}

// remote reads the manifests at a location with a scheme.
func remote(ctx context.Context, from func() (reader, error)) func(place string) ([]manifest.File, error) {
	return func(place string) ([]manifest.File, error) {
		r, err := from()
		if err != nil {
			return nil, err
		}
		files, err := r.Files(ctx, place)
		out := make([]manifest.File, 0, len(files))
		for _, f := range files {
			out = append(out, manifest.File(f))
		}
		return out, err
	}
}
