package boot

import (
	"context"
	"path"
	"strings"
	"sync"
	"time"

	"certdrift/internal/awsio/source"
	"certdrift/internal/config"
	"certdrift/internal/manifest"
	"certdrift/internal/observation"
)

// Loaded is a configuration with all that it names.
type Loaded struct {
	config.Config
	Faults    []observation.Fault
	Manifests []observation.Declaration
	Troubles  []observation.Trouble
}

// reader reads what lies in the deployment package, in S3 or in SSM.
type reader interface {
	Read(ctx context.Context, place string) ([]byte, error)
	Files(ctx context.Context, place string) ([]source.File, error)
}

// fresh is how long a configuration is used before it is read again.
const fresh = time.Minute

// loader reads the configuration, again after a while: it may have changed in S3 or SSM. Where it can't be read any
// more the last good one stands in, and the trouble is the round's.
type loader struct {
	reader   reader
	location string
	now      func() time.Time

	mu   sync.Mutex
	last *Loaded
	read time.Time
}

func (l *loader) load(ctx context.Context) (Loaded, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.last != nil && l.now().Sub(l.read) < fresh {
		return *l.last, nil
	}
	data, err := l.reader.Read(ctx, l.location)
	if err != nil {
		if l.last == nil {
			return Loaded{}, err
		}
		stale := *l.last
		stale.Troubles = append(stale.Troubles[:len(stale.Troubles):len(stale.Troubles)], observation.Trouble{
			Kind: observation.Incomplete, Operation: "configuration", Resource: l.location,
			Detail: "the configuration cannot be read again, the last one stands in: " + err.Error(),
		})
		return stale, nil
	}
	made := read(ctx, l.reader, l.location, data)
	l.last, l.read = &made, l.now()
	return made, nil
}

// read makes a configuration of bytes, with the files and manifests beside it.
func read(ctx context.Context, from reader, location string, data []byte) Loaded {
	var out Loaded
	out.Config, out.Faults = config.Load(data, config.Options{
		File: location, ReadFile: func(name string) ([]byte, error) { return from.Read(ctx, beside(location, name)) },
	})
	var faults []observation.Fault
	out.Manifests, faults = manifest.Load(locate(location, out.Config.Manifests), manifest.Options{
		Remote: remote(ctx, func() (reader, error) { return from, nil }),
	})
	out.Faults = append(out.Faults, faults...)
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
