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

// What nobody compared is never the same: not as the zero value, and not as the worst of several.
func TestWorst(t *testing.T) {
	for _, c := range []struct {
		of   []Relation
		want Relation
	}{
		{nil, NotCompared},
		{[]Relation{0}, NotCompared},
		{[]Relation{Same}, Same},
		{[]Relation{Same, NotCompared}, NotCompared},
		{[]Relation{NotCompared, Same, Same}, NotCompared},
		{[]Relation{NotCompared, Equivalent}, Equivalent},
		{[]Relation{Different, NotCompared, Same, Equivalent}, Different},
	} {
		if got := Worst(c.of...); got != c.want {
			t.Errorf("Worst(%v) = %v, want %v", c.of, got, c.want)
		}
	}
}
