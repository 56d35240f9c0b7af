package certtest

import (
	"testing"
	"time"

	"certdrift/internal/sim/pki"
)

// Must returns a function that passes a pair on, or ends the test.
func Must(t testing.TB) func(*pki.Pair, error) *pki.Pair {
	t.Helper()
	return func(p *pki.Pair, err error) *pki.Pair {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
}

// Authority returns a root and an intermediate under it.
func Authority(t testing.TB) (root, intermediate *pki.Pair) {
	t.Helper()
	root = Must(t)(pki.Root("Test Root", time.Now()))
	return root, Must(t)(root.Intermediate("Test CA", time.Now()))
}
