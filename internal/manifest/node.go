package manifest

import (
	"slices"

	"github.com/goccy/go-yaml/ast"

	"certdrift/internal/yamldoc"
)

// tree is the nodes of one document.
type tree struct {
	doc  *yamldoc.Resolver
	line int // the document's first line in its file, from 1
}

// newTree reports each problem with anchors, aliases and tags once, when it is met.
func (r *reader) newTree(root ast.Node, line int) tree {
	t := tree{line: line}
	reported := map[ast.Node]bool{}
	t.doc = yamldoc.NewResolver(root, func(at ast.Node, message, hint string) {
		if !reported[at] {
			reported[at] = true
			line, column := t.position(at)
			r.errorAt(line, column, message, hint)
		}
	})
	return t
}

// entry returns the entry of a key; nil if there is none. Of a repeated key, which is reported, the last counts, and the
// mapping's own goes before what a merge key brings: as in Kubernetes' own parser.
func (t tree) entry(n ast.Node, key string) *ast.MappingValueNode {
	entries, _ := t.doc.Entries(t.doc.Value(n))
	for _, e := range slices.Backward(entries) {
		if e.Key == key {
			return e.Node
		}
	}
	return nil
}

// all returns the texts of a key, each time that a mapping has it.
func (t tree) all(n ast.Node, key string) (texts []string) {
	entries, _ := t.doc.Entries(t.doc.Value(n))
	for _, e := range entries {
		if e.Key == key {
			value, _ := yamldoc.Text(t.doc.Value(e.Node.Value))
			texts = append(texts, value)
		}
	}
	return texts
}

// duplicate returns the first entry whose key the mapping has already; false if there is none.
func (t tree) duplicate(n ast.Node) (yamldoc.Entry, bool) {
	entries, _ := t.doc.Entries(t.doc.Value(n))
	i := slices.IndexFunc(entries, func(e yamldoc.Entry) bool { return e.First != nil })
	if i < 0 {
		return yamldoc.Entry{}, false
	}
	return entries[i], true
}

// get follows keys through nested mappings.
func (t tree) get(n ast.Node, keys ...string) ast.Node {
	for _, key := range keys {
		e := t.entry(n, key)
		if e == nil {
			return nil
		}
		n = e.Value
	}
	return t.doc.Value(n)
}

// text returns a scalar's text; empty for anything else.
func (t tree) text(n ast.Node, keys ...string) string {
	text, _ := yamldoc.Text(t.get(n, keys...))
	return text
}

// items returns a list's elements.
func (t tree) items(n ast.Node, keys ...string) []ast.Node {
	seq, ok := t.get(n, keys...).(*ast.SequenceNode)
	if !ok {
		return nil
	}
	return seq.Values[:min(len(seq.Values), maxObjects)]
}

// position returns where a node begins in the file.
func (t tree) position(n ast.Node) (line, column int) {
	line, column = yamldoc.Position(n)
	return line + t.line - 1, column
}
