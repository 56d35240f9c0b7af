package manifest

import (
	"errors"
	"testing"

	"certdrift/internal/observation"
)

// kept is a file that AWS keeps back.
type kept struct{ name string }

func (k kept) Error() string { return "reading " + k.name }

func (k kept) Unread() (observation.ObserveError, bool) {
	return observation.ObserveError{Kind: observation.Denied, Operation: "s3:GetObject", Resource: k.name}, true
}

// TestEveryUnreadFileIsReported: each of them may declare something, and what it declares is not known.
func TestEveryUnreadFileIsReported(t *testing.T) {
	for name, c := range map[string]struct {
		err           error
		unread, wrong int
	}{
		"all kept back":        {errors.Join(kept{"a.yaml"}, kept{"b.yaml"}), 2, 0},
		"one kept back":        {kept{"a.yaml"}, 1, 0},
		"and one that is none": {errors.Join(kept{"a.yaml"}, errors.New("it is too large")), 1, 1},
		"no files":             {nil, 0, 1},
	} {
		read := Load([]string{"s3://bucket/k8s/"}, Options{Remote: func(string) ([]File, error) {
			return make([]File, 0), c.err
		}})
		if len(read.ObserveErrors) != c.unread || len(read.Diagnostics) != c.wrong {
			t.Errorf("%s: %v, %v; want %d unread and %d mistakes", name, read.ObserveErrors, read.Diagnostics, c.unread, c.wrong)
		}
	}
}
