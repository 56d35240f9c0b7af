package config

import (
	"fmt"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"

	"certdrift/internal/finding"
	"certdrift/internal/yamldoc"
)

// unsplit restores plain text that the parser took for a mapping: in a list within braces it splits 127.0.0.1:8443 and
// arn:aws:… at the first colon, although YAML separates a key from its value there by a colon and a space.
// https://yaml.org/spec/1.2.2/#733-plain-style
func unsplit(n ast.Node) ast.Node {
	pair, ok := n.(*ast.MappingValueNode)
	if m, whole := n.(*ast.MappingNode); whole && !m.IsFlowStyle && len(m.Values) == 1 {
		pair, ok = m.Values[0], true
	}
	if !ok || pair.Start == nil {
		return n
	}
	key, value := pair.Key.GetToken(), pair.Value.GetToken()
	at, next := pair.Start.Position, value.Position
	if at.Line != next.Line || next.Column != at.Column+1 || !plain(key) || !plain(value) {
		return n
	}
	text := key.Value + ":" + value.Value
	return ast.String(token.New(text, text, key.Position))
}

// plain reports whether a token is a scalar without quotes.
func plain(t *token.Token) bool {
	switch t.Type {
	case token.StringType, token.IntegerType, token.FloatType:
		return true
	}
	return false
}

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
