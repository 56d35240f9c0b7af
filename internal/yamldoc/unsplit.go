package yamldoc

import (
	"regexp"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// taggedLast is tagged text with a colon at the end of a mapping in braces, {Value: !Ref AWS::Region}. The parser rejects it, unless a comma
// comes behind it, which changes nothing (YAML 1.2.2 §7.4.2).
var taggedLast = regexp.MustCompile(`(![A-Za-z]+[ \t]+[^\s,\[\]{}'"#&*!]+:[^\s,\[\]{}'"]*)([ \t]*\})`)

// separated parses a text with such commas; nil if it has no place for them, or cannot be parsed with them either.
func separated(data []byte) *ast.File {
	with := taggedLast.ReplaceAll(data, []byte("$1,$2"))
	if len(with) == len(data) {
		return nil
	}
	file, err := parser.ParseBytes(with, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		return nil
	}
	return file
}

// unsplitter is a visitor that restores what the parser split in lists and mappings within brackets.
type unsplitter struct{}

// Visit implements ast.Visitor.
func (u unsplitter) Visit(n ast.Node) ast.Visitor {
	switch v := n.(type) {
	case *ast.SequenceNode:
		for i := 0; v.IsFlowStyle && i < len(v.Values); i++ {
			v.Values[i] = unsplit(v.Values[i])
		}
	case *ast.MappingNode:
		for i := 0; v.IsFlowStyle && i < len(v.Values); i++ {
			v.Values[i].Value = unsplit(v.Values[i].Value)
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
	start := ast.Node(pair.Key)
	tag, tagged := start.(*ast.TagNode) // {Ref: !Ref AWS::Region}
	if tagged {
		start = tag.Value
	}
	if start == nil {
		return n
	}
	key, value := start.GetToken(), pair.Value.GetToken()
	at, next := pair.Start.Position, value.Position
	if at.Line != next.Line || next.Column != at.Column+1 || !plain(key) || !plain(value) {
		return n
	}
	text := key.Value + ":" + value.Value
	whole := ast.String(token.New(text, text, key.Position))
	if tagged {
		tag.Value = whole
		return tag
	}
	return whole
}

// plain reports whether a token is a scalar without quotes.
func plain(t *token.Token) bool {
	switch t.Type {
	case token.StringType, token.IntegerType, token.FloatType:
		return true
	}
	return false
}
