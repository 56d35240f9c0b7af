package boot

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
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

// keeper keeps the last good configuration outside of the process.
type keeper interface {
	Load(ctx context.Context) ([]byte, error) // nil where none was kept
	Save(ctx context.Context, data []byte) error
}

// loader reads the configuration as a round's request, again after a while: it may have changed in S3 or SSM. Where it can
// no longer be read, or has so many errors that no endpoint is left, the last good one stays in use, and the round reports
// what is wrong. A process that starts then takes the last good one from the keeper.
type loader struct {
	reader   reader
	location string
	now      func() time.Time
	keeper   keeper // nil for none
	log      *slog.Logger

	mu   sync.Mutex
	last *round.Request
	read time.Time
	// good is what the last good configuration was read from; asked reports whether the keeper was asked for it, and kept is
	// the content that it holds.
	good  *snapshot
	asked bool
	kept  [sha256.Size]byte
}

// load returns the configuration. With an error there is none, and the request holds the diagnostic to report.
func (l *loader) load(ctx context.Context) (round.Request, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.last != nil && l.now().Sub(l.read) < fresh {
		return *l.last, nil
	}
	patience := loadTime
	if l.last != nil || l.good != nil {
		patience /= 3 // there is something to fall back on
	}
	reading, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	from := newRecorder(l.reader, l.location, func(context.Context) *snapshot { return l.lastGood(ctx) })
	data, err := from.Read(reading, l.location)
	if err != nil {
		return l.unread(ctx, err)
	}
	made := read(reading, from, l.location, data)
	if len(made.Config.Endpoints) == 0 && round.Fatal(made.Diagnostics) {
		stale, ok := l.inPlaceOf(ctx, made)
		switch {
		case ok:
			return stale, nil
		case !made.Config.Scope.Enabled:
			return made, fmt.Errorf("nothing is monitored: %s has errors, the first: %s", l.location, made.Diagnostics[0].Message)
		}
	}
	l.last, l.read = &made, l.now()
	if len(from.stale) == 0 && !round.Fatal(made.Diagnostics) {
		l.keep(ctx, from.snapshot(l.now()))
	}
	return made, nil
}

// keepTime bounds asking the keeper: it is no more than a help.
const keepTime = 3 * time.Second

// keep remembers what a good configuration was read from, here and outside of the process.
func (l *loader) keep(ctx context.Context, s *snapshot) {
	l.good = s
	content := s.content()
	if l.keeper == nil || content == l.kept {
		return
	}
	data, err := s.encode()
	if err == nil {
		ctx, cancel := context.WithTimeout(ctx, keepTime)
		defer cancel()
		err = l.keeper.Save(ctx, data)
	}
	if err != nil {
		l.warn(ctx, "the configuration is in use, but could not be kept for a start with a broken one", err)
		return
	}
	l.kept = content
}

// lastGood is what the last good configuration was read from: by this process, else by one before it; nil where there is none.
func (l *loader) lastGood(ctx context.Context) *snapshot {
	if l.good != nil || l.keeper == nil || l.asked {
		return l.good
	}
	ctx, cancel := context.WithTimeout(ctx, keepTime)
	defer cancel()
	data, err := l.keeper.Load(ctx)
	if err == nil {
		l.asked = true
		if len(data) > 0 {
			l.good, err = decodeSnapshot(data)
		}
	}
	if err != nil {
		l.warn(ctx, "the last good configuration could not be read", err)
	}
	if l.good != nil && l.good.Location != l.location {
		l.good = nil // the function was pointed at another configuration since
	}
	return l.good
}

// fallback is the last good configuration as a request; false where there is none.
func (l *loader) fallback(ctx context.Context) (round.Request, bool) {
	if l.last != nil {
		stale := *l.last
		stale.ConfigOf = l.read
		return stale, len(stale.Config.Endpoints) > 0 || stale.Config.Scope.Enabled
	}
	s := l.lastGood(ctx)
	if s == nil {
		return round.Request{}, false
	}
	made := read(ctx, s, l.location, s.Single[l.location])
	made.ConfigOf = s.At
	// What the manifests declare today is not known.
	made.ObserveErrors = append(made.ObserveErrors, observation.ObserveError{
		Kind: observation.Incomplete, Operation: "configuration", Resource: l.location,
		Detail: "the last good configuration is in use, and the manifests as they were then",
	})
	return made, !round.Fatal(made.Diagnostics)
}

// inPlaceOf returns what replaces a configuration whose errors leave no endpoint; false where nothing better is known.
func (l *loader) inPlaceOf(ctx context.Context, made round.Request) (round.Request, bool) {
	stale, ok := l.fallback(ctx)
	if !ok || len(stale.Config.Endpoints) == 0 && made.Config.Scope.Enabled {
		return round.Request{}, false
	}
	stale.Diagnostics = slices.Concat(stale.Diagnostics, made.Diagnostics)
	observation.SortDiagnostics(stale.Diagnostics)
	return stale, true
}

// unread returns what replaces a configuration that cannot be read: the last good one, or none.
func (l *loader) unread(ctx context.Context, err error) (round.Request, error) {
	warm := l.last != nil
	stale, ok := l.fallback(ctx)
	if !ok {
		return unconfigured(l.location, err), err
	}
	if warm && !missing(err) { // a moment's failure of AWS
		stale.ObserveErrors = append(slices.Clone(stale.ObserveErrors), observation.ObserveError{
			Kind: observation.Incomplete, Operation: "configuration", Resource: l.location,
			Detail: "the configuration cannot be read again; the last good one stays in use: " + err.Error(),
		})
		return stale, nil
	}
	fault := unreadable(l.location, err, "the last good configuration stays in use: the current one cannot be read: ")
	stale.Diagnostics = append(slices.Clone(stale.Diagnostics), fault)
	observation.SortDiagnostics(stale.Diagnostics)
	return stale, nil
}

func (l *loader) warn(ctx context.Context, what string, err error) {
	if l.log != nil {
		l.log.WarnContext(ctx, what, "error", err)
	}
}

// missing reports whether what was to be read is not there.
func missing(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || awserr.Missing(err) || awserr.Code(err) == "NoSuchBucket"
}

// unreadable is the diagnostic of a file that cannot be read.
func unreadable(place string, err error, meaning string) observation.Diagnostic {
	fault := observation.Diagnostic{
		Position: target.Position{File: place}, Message: meaning + err.Error(),
		Hint: "check the stack's parameters ConfigBucket, ConfigKey and ConfigParameter",
	}
	if known, ok := errors.AsType[*source.Error](err); ok {
		fault.Message = meaning + awserr.Text(known.Err)
		fault.Hint = cmp.Or(known.Advice, fault.Hint)
	}
	return fault
}

// unconfigured returns a request that monitors nothing and says why.
func unconfigured(location string, err error) round.Request {
	fault := unreadable(location, err, "nothing is monitored: the configuration cannot be read: ")
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
	out.Manifests, out.PassedOver, out.ObserveErrors = read.Declared, read.PassedOver, read.ObserveErrors
	out.Diagnostics = append(out.Diagnostics, read.Diagnostics...)
	if recorded, ok := from.(*recorder); ok {
		for place, err := range recorded.stale {
			out.Diagnostics = append(out.Diagnostics, unreadable(place, err, "its last good content stays in use: it cannot be read: "))
		}
	}
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
