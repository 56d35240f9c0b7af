package yamldoc

import (
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

// unsplitter is a visitor that restores the items of lists that the parser split.
type unsplitter struct{}

// Visit implements ast.Visitor.
func (u unsplitter) Visit(n ast.Node) ast.Visitor {
	if list, ok := n.(*ast.SequenceNode); ok && list.IsFlowStyle {
		for i, item := range list.Values {
			list.Values[i] = unsplit(item)
		}
	}
	return u
}

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
