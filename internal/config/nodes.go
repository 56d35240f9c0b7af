package config

import (
	"fmt"

	"github.com/goccy/go-yaml/ast"

	"certdrift/internal/finding"
	"certdrift/internal/yamldoc"
)

// entries returns a mapping's own entries, then those that it merges (<<). If a key is repeated, the first one counts.
func (d *decoder) entries(what string, n ast.Node) ([]yamldoc.Entry, bool) {
	all, ok := d.doc.Entries(n)
	if !ok {
		d.errorAt(n, fmt.Sprintf("%s must be a mapping, not %s", what, yamldoc.Kind(n)), "write its keys below it, indented: key: value")
		return nil, false
	}
	if !d.spend(n, 0) {
		return nil, false
	}
	if len(all) > maxItems {
		d.errorAt(n, fmt.Sprintf("%s has more than %d keys", what, maxItems), "remove those that are not needed")
		return nil, false
	}
	once := make([]yamldoc.Entry, 0, len(all))
	for _, e := range all {
		if e.First == nil {
			once = append(once, e)
			continue
		}
		line, _ := yamldoc.Position(e.First.Key)
		d.errorAt(e.Node.Key, fmt.Sprintf("duplicate key %s, first in line %d", finding.Quote(e.Key), line), "keep one of the two")
	}
	return once, true
}
