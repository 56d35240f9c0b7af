package config

import (
	"fmt"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"

	"certdrift/internal/config/yamldoc"
	"certdrift/internal/finding"
)

// resolve follows anchors, aliases and YAML's own tags to the node that holds the value; nil where there is none, and
// a fault tells.
func (d *decoder) resolve(n ast.Node) ast.Node {
	for range maxNested {
		switch v := n.(type) {
		case *ast.AnchorNode:
			if name, ok := yamldoc.Text(v.Name); ok {
				d.anchors[name] = v.Value
			}
			n = v.Value
		case *ast.AliasNode:
			name, _ := yamldoc.Text(v.Value)
			meant, ok := d.anchors[name]
			if !ok {
				d.fault(n, "no anchor of the name "+finding.Quote(name)+" comes before this alias",
					"put text that begins with * in quotes, or define &"+finding.Clean(name, 40)+" above")
				return nil
			}
			n = meant
		case *ast.TagNode:
			if !strings.HasPrefix(v.Start.Value, "!!") {
				d.fault(n, "the tag "+finding.Quote(v.Start.Value)+" means nothing here", "put text that begins with ! in quotes")
				return nil
			}
			n = v.Value
		case nil:
			return nil
		default:
			return n
		}
	}
	d.fault(n, "aliases lead to each other without end", "write out what they stand for")
	return nil
}

// unsplit gives the plain text back that the parser took for a mapping: in a list within braces it splits 127.0.0.1:8443
// and arn:aws:… at the first colon, though YAML parts a key from its value there by a colon and a space.
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

// plain tells a scalar without quotes.
func plain(t *token.Token) bool {
	switch t.Type {
	case token.StringType, token.IntegerType, token.FloatType:
		return true
	}
	return false
}

// entry is a key with its value.
type entry struct {
	key  string
	node *ast.MappingValueNode
}

// entries lists a mapping's entries, what it merges from elsewhere (<<) behind its own.
func (d *decoder) entries(what string, n ast.Node) ([]entry, bool) {
	values, ok := yamldoc.Entries(n)
	if !ok {
		d.fault(n, fmt.Sprintf("%s must be a mapping, and is %s", what, yamldoc.Kind(n)), "write its keys below it, indented: key: value")
		return nil, false
	}
	if len(values) > maxItems {
		d.fault(n, fmt.Sprintf("%s has more than %d keys", what, maxItems), "keep those that are needed")
		return nil, false
	}
	var own []entry
	var merged []ast.Node
	lines := map[string]int{}
	for _, value := range values {
		if value.Key.IsMergeKey() {
			merged = append(merged, value.Value)
			continue
		}
		key, ok := keyText(value.Key)
		if !ok {
			d.fault(value.Key, "a key must be text, and is "+yamldoc.Kind(value.Key), "put it in quotes")
			continue
		}
		if line, twice := lines[key]; twice {
			d.fault(value.Key, fmt.Sprintf("the key %s is there twice, first in line %d", finding.Quote(key), line), "keep one of the two")
			continue
		}
		lines[key], _ = yamldoc.Place(value.Key)
		own = append(own, entry{key, value})
	}
	for _, n := range merged {
		own = d.merge(own, n)
	}
	return own, true
}

// merge adds the entries of another mapping, or of several, whose keys are not there yet (YAML's merge key type).
func (d *decoder) merge(own []entry, n ast.Node) []entry {
	d.depth++
	defer func() { d.depth-- }()
	if !d.spend(n, 1) {
		return own
	}
	n = d.resolve(n)
	if seq, ok := n.(*ast.SequenceNode); ok {
		for _, item := range seq.Values {
			own = d.merge(own, item)
		}
		return own
	}
	if n == nil {
		return own
	}
	if len(own) > maxItems {
		return own
	}
	others, _ := d.entries("what << merges", n)
	for _, other := range others {
		if !slices.ContainsFunc(own, func(e entry) bool { return e.key == other.key }) {
			own = append(own, other)
		}
	}
	return own
}

func keyText(key ast.MapKeyNode) (string, bool) {
	if explicit, ok := key.(*ast.MappingKeyNode); ok { // "? key"
		return yamldoc.Text(explicit.Value)
	}
	return yamldoc.Text(key)
}
