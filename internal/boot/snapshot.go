package boot

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"sync"
	"time"

	"certdrift/internal/awsio/source"
	"certdrift/internal/awsio/state"
)

// snapshot is a configuration with all that it names, as it was read: what a function runs that starts with a broken one.
type snapshot struct {
	Location string                   `json:"location"`
	At       time.Time                `json:"at"`
	Single   map[string][]byte        `json:"single"`           // the configuration and the files that it names, by place
	Listed   map[string][]source.File `json:"listed,omitempty"` // manifests, by place
}

// Read and Files make a snapshot a reader.
func (s *snapshot) Read(_ context.Context, place string) ([]byte, error) {
	data, ok := s.Single[place]
	if !ok {
		return nil, fmt.Errorf("reading %q: it is not in the last good configuration", place)
	}
	return data, nil
}

// Files returns the manifests of a place.
func (s *snapshot) Files(_ context.Context, place string) ([]source.File, error) {
	files, ok := s.Listed[place]
	if !ok {
		return nil, fmt.Errorf("reading %q: it is not in the last good configuration", place)
	}
	return files, nil
}

// maxExpanded bounds a snapshot that is read back: the reader's own limit for files, and the configuration's.
const maxExpanded = source.MaxTotal + 4*source.MaxFile

// encode returns the snapshot for the table. Where the manifests make it too large, they are left out: what they declare is
// then not known to a function that starts with it, and the round says so.
func (s *snapshot) encode() ([]byte, error) {
	data, err := compress(s)
	if err == nil && len(data) > state.MaxConfiguration {
		without := *s
		without.Listed = nil
		return compress(&without)
	}
	return data, err
}

func compress(s *snapshot) ([]byte, error) {
	text, err := json.Marshal(s)
	if err != nil {
		return nil, fmt.Errorf("encoding the configuration: %w", err)
	}
	var out bytes.Buffer
	zip := gzip.NewWriter(&out)
	if _, err := zip.Write(text); err != nil {
		return nil, fmt.Errorf("compressing the configuration: %w", err)
	}
	if err := zip.Close(); err != nil {
		return nil, fmt.Errorf("compressing the configuration: %w", err)
	}
	return out.Bytes(), nil
}

func decodeSnapshot(data []byte) (*snapshot, error) {
	zip, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("reading the last good configuration: %w", err)
	}
	text, err := io.ReadAll(io.LimitReader(zip, maxExpanded))
	if err != nil {
		return nil, fmt.Errorf("reading the last good configuration: %w", err)
	}
	var s snapshot
	if err := json.Unmarshal(text, &s); err != nil {
		return nil, fmt.Errorf("reading the last good configuration: %w", err)
	}
	return &s, nil
}

// content identifies what a snapshot holds, whenever it was taken.
func (s *snapshot) content() [sha256.Size]byte {
	timeless := *s
	timeless.At = time.Time{}
	text, err := json.Marshal(timeless)
	if err != nil {
		return [sha256.Size]byte{}
	}
	return sha256.Sum256(text)
}

// recorder is a reader that remembers what it read. What cannot be read it takes from the last good configuration.
type recorder struct {
	reader
	last func(ctx context.Context) *snapshot // nil where there is none

	mu    sync.Mutex
	taken snapshot
	stale map[string]error // places that were taken from the last good configuration
}

func newRecorder(from reader, location string, last func(context.Context) *snapshot) *recorder {
	return &recorder{
		reader: from, last: last, stale: map[string]error{},
		taken: snapshot{Location: location, Single: map[string][]byte{}, Listed: map[string][]source.File{}},
	}
}

// Read reads one file.
func (r *recorder) Read(ctx context.Context, place string) ([]byte, error) {
	data, err := r.reader.Read(ctx, place)
	if err != nil && place != r.taken.Location {
		if last := r.last(ctx); last != nil && last.Single[place] != nil {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.stale[place], r.taken.Single[place] = err, last.Single[place]
			return last.Single[place], nil
		}
	}
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.taken.Single[place] = data
	return data, nil
}

// Files reads the manifests of a place. They are never taken from before: what they declare today is not known then.
func (r *recorder) Files(ctx context.Context, place string) ([]source.File, error) {
	files, err := r.reader.Files(ctx, place)
	if err == nil {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.taken.Listed[place] = files
	}
	return files, err
}

// snapshot returns what was read.
func (r *recorder) snapshot(now time.Time) *snapshot {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.taken
	s.Single, s.Listed, s.At = maps.Clone(s.Single), maps.Clone(s.Listed), now
	return &s
}
