package topology

import "testing"

func TestMatchName(t *testing.T) {
	for _, c := range []struct {
		pattern, host string
		want          bool
	}{
		{"example.org", "example.org", true}, {"Example.ORG", "example.org", true}, {"example.org.", "example.org", true},
		{"*.example.org", "a.example.org", true}, {"*.example.org", "a.b.example.org", false}, {"*.example.org", "example.org", false},
		{"a*.example.org", "ab.example.org", false}, {"*", "example", false}, {"", "", false}, {"*.", "a.", false},
	} {
		if got := MatchName(c.pattern, c.host); got != c.want {
			t.Errorf("MatchName(%q, %q) = %v", c.pattern, c.host, got)
		}
	}
}
