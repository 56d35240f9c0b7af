package judge

import (
	"testing"
	"time"

	"certdrift/internal/finding"
)

func TestHTTPSlow(t *testing.T) {
	for _, c := range []struct {
		took, limit time.Duration
		slow        bool
	}{{time.Second, 0, false}, {time.Second, 2 * time.Second, false}, {1999 * time.Millisecond, 2 * time.Second, false}, {3 * time.Second, 2 * time.Second, true}} {
		s := newScene(t)
		a, b := ok("10.0.0.1", s.Leaf(host)), ok("10.0.0.2", s.Leaf(host))
		b.TLS = a.TLS
		a.Phases.FirstByte, b.Phases.FirstByte = c.took, c.took+time.Millisecond
		s.HTTPS("api", host, a, b).Target.Expect.MaxLatency = c.limit
		if !c.slow {
			s.only()
			continue
		}
		s.only(finding.HTTPSlow)
		f := s.one(finding.HTTPSlow, finding.Warning)
		each, _ := f.Evidence["first_byte_ms"].(map[string]any)
		if f.Address != "" || each["10.0.0.1:443"] != int64(3000) || each["10.0.0.2:443"] != int64(3001) {
			t.Errorf("address %q evidence %v", f.Address, f.Evidence)
		}
	}
}
