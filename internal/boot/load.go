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

// Loaded is a configuration with all that it names.
type Loaded struct {
	config.Config
	Diagnostics   []observation.Diagnostic
	Manifests     []observation.Declaration
	ObserveErrors []observation.ObserveError
}

// reader reads what lies in the deployment package, in S3 or in SSM.
type reader interface {
	Read(ctx context.Context, place string) ([]byte, error)
	Files(ctx context.Context, place string) ([]source.File, error)
}

// fresh is how long a configuration is used before it is read again; loadTime what reading it, with all that it names, may
// take of a round: in a VPC without a way to S3 nothing answers, and somebody is to be told so.
const (
	fresh    = time.Minute
	loadTime = 15 * time.Second
)

// loader reads the configuration, again after a while: it may have changed in S3 or SSM. Where it can't be read any
// more, or has become one that names no endpoint for all its mistakes, the last good one stands in, and what is wrong is
// the round's to tell.
type loader struct {
	reader   reader
	location string
	now      func() time.Time

	mu   sync.Mutex
	last *Loaded
	read time.Time
}

// load gives the configuration. With an error there is none; the Loaded then holds what to tell of it.
func (l *loader) load(ctx context.Context) (Loaded, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.last != nil && l.now().Sub(l.read) < fresh {
		return *l.last, nil
	}
	patience := loadTime
	if l.last != nil {
		patience /= 3 // it stands in
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	data, err := l.reader.Read(ctx, l.location)
	if err != nil {
		return l.unread(err)
	}
	made := read(ctx, l.reader, l.location, data)
	if l.last != nil && len(l.last.Endpoints) > 0 && len(made.Endpoints) == 0 && round.Fatal(made.Diagnostics) {
		stale := *l.last
		stale.Diagnostics = slices.Concat(stale.Diagnostics, made.Diagnostics)
		observation.SortDiagnostics(stale.Diagnostics)
		return stale, nil
	}
	l.last, l.read = &made, l.now()
	return made, nil
}

// unread is what stands in for a configuration that cannot be read: the last good one, or none.
func (l *loader) unread(err error) (Loaded, error) {
	if l.last == nil {
		return unconfigured(l.location, err), err
	}
	stale := *l.last
	stale.ObserveErrors = append(slices.Clone(stale.ObserveErrors), observation.ObserveError{
		Kind: observation.Incomplete, Operation: "configuration", Resource: l.location,
		Detail: "the configuration cannot be read again, the last one stands in: " + err.Error(),
	})
	return stale, nil
}

// unconfigured watches nothing and says why.
func unconfigured(location string, err error) Loaded {
	fault := observation.Diagnostic{
		Position: target.Position{File: location}, Message: "nothing is watched: the configuration cannot be read: " + err.Error(),
		Hint: "the stack's parameters ConfigBucket, ConfigKey and ConfigParameter say where it lives",
	}
	if known, ok := errors.AsType[*source.Error](err); ok {
		fault.Message = "nothing is watched: the configuration cannot be read: " + awserr.Text(known.Err)
		fault.Hint = cmp.Or(known.Advice, fault.Hint)
	}
	return Loaded{
		Config: config.Config{Policy: policy.DefaultThresholds(), Incidents: policy.DefaultAlerting()}, Diagnostics: []observation.Diagnostic{fault},
	}
}

// read makes a configuration of bytes, with the files and manifests beside it.
func read(ctx context.Context, from reader, location string, data []byte) Loaded {
	var out Loaded
	out.Config, out.Diagnostics = config.Load(data, config.Options{
		File: location, ReadFile: func(name string) ([]byte, error) { return from.Read(ctx, beside(location, name)) },
	})
	read := manifest.Load(locate(location, out.Config.Manifests), manifest.Options{
		Remote: remote(ctx, func() (reader, error) { return from, nil }), Places: places(location, out.Config),
	})
	out.Manifests, out.ObserveErrors = read.Declared, read.ObserveErrors
	out.Diagnostics = append(out.Diagnostics, read.Diagnostics...)
	observation.SortDiagnostics(out.Diagnostics)
	return out
}

// beside is where a file named by a configuration lies. SSM has no files beside a parameter: the deployment package
// holds them.
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

// remote reads the manifests at a place with a scheme.
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
