// Package yamldoc parses untrusted YAML: it limits the cost of a text before the parser sees it, turns the parser's errors into
// problems with a position, returns the position of any node, and follows aliases and merge keys.
package yamldoc

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"

	"certdrift/internal/finding"
)

// The parser's time grows with the square of depth and of the number of entries, so both are bounded beforehand.
const (
	maxDepth  = 2_000   // open brackets, those in texts and comments counted too
	maxIndent = 400     // columns before the first word of a line, indicators of nested lists included
	maxLines  = 200_000 // 10,000 endpoints of twenty lines each
	maxKeys   = 20_000  // lines of one mapping; texts that look like one are counted too
)

// Problem is the reason that a text cannot be used. Line and Column start at 1.
type Problem struct {
	Line, Column  int
	Message, Hint string
}

// Parse parses all documents of a text. It accepts duplicate keys: Resolver.Entries returns them, so that all are reported.
func Parse(data []byte) (file *ast.File, problem *Problem) {
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")) // a byte order mark is not content (YAML 1.2.2 §5.2)
	if problem := cmp.Or(check(data), crowded(data)); problem != nil {
		return nil, problem
	}
	defer func() {
		// A panic of the parser must not end the round.
		if p := recover(); p != nil {
			file, problem = nil, &Problem{1, 1, "the YAML parser failed on this file: " +
				finding.Clean(fmt.Sprint(p), finding.QuoteLimit), "simplify the file, and report a bug with it"}
		}
	}()
	file, err := parser.ParseBytes(data, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		if file = separated(data); file == nil {
			return nil, syntax(err)
		}
	}
	found := &Problem{}
	for _, doc := range file.Docs {
		if doc.Body != nil {
			ast.Walk(unsplitter{}, doc.Body)
			ast.Walk(dedented{found}, doc.Body)
		}
	}
	if found.Line > 0 {
		return nil, found
	}
	return file, nil
}

// syntax keeps the parser's message and position, but not its excerpt of the source, which may contain a secret.
func syntax(err error) *Problem {
	p := &Problem{1, 1, "the YAML cannot be parsed", "check for an unclosed quote or bracket, or wrong indentation, near this position"}
	var located yaml.Error
	if errors.As(err, &located) {
		p.Message = "the YAML cannot be parsed: " + finding.Clean(withoutText(located.GetMessage()), finding.QuoteLimit)
		p.Line, p.Column = tokenPosition(located.GetToken())
		if strings.Contains(p.Message, `'\x09'`) {
			p.Hint = "indent with spaces: YAML does not allow tabs there"
		}
	}
	return p
}

func check(data []byte) *Problem {
	line, column, depth, start := 1, 1, 0, true
	for i := 0; i < len(data); {
		r, size := utf8.DecodeRune(data[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			return &Problem{line, column, "the file is not UTF-8", "save it as UTF-8"}
		case r < ' ' && r != '\t' && r != '\n' && r != '\r', r == 0x7f:
			return &Problem{line, column, fmt.Sprintf("the file contains the control character U+%04X", r), "remove it, or write it as an escape in a quoted text"}
		case r == '[' || r == '{':
			depth++
		case r == ']' || r == '}':
			depth = max(depth-1, 0)
		}
		start = start && bytes.ContainsRune([]byte(" -?[{\t"), r)
		if depth > maxDepth || start && column > maxIndent {
			return &Problem{line, column, "the file is nested too deeply", fmt.Sprintf("at most %d levels", maxDepth)}
		}
		column++
		if r == '\n' {
			line, column, start = line+1, 1, true
		}
		if line > maxLines {
			return &Problem{line, 1, fmt.Sprintf("the file has more than %d lines", maxLines), "split it"}
		}
		i += size
	}
	return nil
}

// crowded finds a mapping with too many keys: lines of one indentation with a colon, without a less indented line between them.
func crowded(data []byte) *Problem {
	var keys [maxIndent + 1]int
	deepest, number := 0, 0
	for line := range bytes.Lines(data) {
		number++
		text := bytes.TrimLeft(line, " ")
		indent := len(line) - len(text)
		if len(bytes.TrimSpace(text)) == 0 || text[0] == '#' || indent > maxIndent {
			continue
		}
		for ; deepest > indent; deepest-- {
			keys[deepest] = 0
		}
		deepest = indent
		if text[0] != '-' && bytes.IndexByte(text, ':') >= 0 {
			keys[indent]++
		}
		if keys[indent] > maxKeys {
			return &Problem{number, indent + 1, fmt.Sprintf("a mapping of more than %d keys", maxKeys), "split it"}
		}
	}
	return nil
}

// Position returns where a node begins; at least line 1, column 1.
func Position(n ast.Node) (line, column int) {
	switch v := n.(type) {
	case nil:
		return 1, 1
	case *ast.MappingNode:
		// The token of a block mapping is its first colon; people expect the key.
		if len(v.Values) > 0 && !v.IsFlowStyle {
			return Position(v.Values[0].Key)
		}
	case *ast.MappingValueNode:
		return Position(v.Key)
	}
	return tokenPosition(n.GetToken())
}

func tokenPosition(t *token.Token) (line, column int) {
	if t == nil || t.Position == nil {
		return 1, 1
	}
	return max(t.Position.Line, 1), max(t.Position.Column, 1)
}

// Kind returns a node's type in plain words.
func Kind(n ast.Node) string {
	switch v := n.(type) {
	case nil, *ast.NullNode:
		return "null"
	case *ast.MappingNode, *ast.MappingValueNode:
		return "a mapping"
	case *ast.SequenceNode:
		return "a list"
	case *ast.BoolNode:
		return "true or false"
	case *ast.IntegerNode, *ast.FloatNode, *ast.InfinityNode, *ast.NanNode:
		return "a number"
	case *ast.AnchorNode:
		return Kind(v.Value)
	case *ast.TagNode:
		return Kind(v.Value)
	}
	return "text"
}

// Text returns a scalar's text as written, without quotes; false for lists, mappings and null.
func Text(n ast.Node) (string, bool) {
	switch v := n.(type) {
	case *ast.StringNode:
		return v.Value, true
	case *ast.LiteralNode:
		return v.Value.Value, true
	case *ast.BoolNode, *ast.IntegerNode, *ast.FloatNode, *ast.InfinityNode, *ast.NanNode:
		return n.GetToken().Value, true
	}
	return "", false
}

// Quoted reports whether a scalar is text because of its quotes, or because it is a block of lines.
func Quoted(n ast.Node) bool {
	switch n.GetToken().Type {
	case token.SingleQuoteType, token.DoubleQuoteType, token.LiteralType, token.FoldedType:
		return true
	}
	return false
}

// Entries returns a mapping's entries as written; false if the node is not a mapping.
func Entries(n ast.Node) ([]*ast.MappingValueNode, bool) {
	switch v := n.(type) {
	case *ast.MappingNode:
		return v.Values, true
	case *ast.MappingValueNode:
		return []*ast.MappingValueNode{v}, true
	}
	return nil, false
}

// withoutText cuts the file's own text off a message of the parser: it may be a secret that should be in quotes.
func withoutText(message string) string {
	before, _, _ := strings.Cut(message, `: "`)
	return before
}
