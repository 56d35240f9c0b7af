package cli

import (
	"bytes"
	"errors"
	"strings"
	"testing"
)

// TestLogLines holds that what parts of the product log reads like the command's own lines: nobody wants records of a logger among them.
func TestLogLines(t *testing.T) {
	var b bytes.Buffer
	log := (&App{Stderr: &b}).log()
	log.With("region", "us-west-2").WithGroup("x").Warn("reading CloudTrail", "error", errors.New("denied\n::error::x"), "attempts", 3)
	log.Info("nothing to say")
	log.Error("::set-output")
	got := strings.Split(strings.TrimSuffix(b.String(), "\n"), "\n")
	if len(got) != 2 || !strings.HasPrefix(got[0], "certdrift: reading CloudTrail: denied") || !strings.HasSuffix(got[0], " (region us-west-2, attempts 3)") || strings.Contains(got[0], "\n") {
		t.Errorf("%q", got)
	}
}
