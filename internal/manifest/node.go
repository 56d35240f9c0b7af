package manifest

import (
	"github.com/goccy/go-yaml/ast"

	"certdrift/internal/config/yamldoc"
)

// maxAliases bounds how many aliases in a row are followed.
const maxAliases = 10

// tree is the nodes of one document.
type tree struct {
	anchors map[string]ast.Node
	line    int // the document's first line in its file, from 1
}

func newTree(root ast.Node, line int) tree {
	t := tree{anchors: map[string]ast.Node{}, line: line}
	ast.Walk(t, root)
	return t
}

// Visit implements ast.Visitor: it collects the anchors.
func (t tree) Visit(n ast.Node) ast.Visitor {
	if anchor, ok := n.(*ast.AnchorNode); ok {
		if name, ok := yamldoc.Text(anchor.Name); ok {
			t.anchors[name] = anchor.Value
		}
	}
	return t
}

// value follows anchors, aliases and tags to what they stand for.
func (t tree) value(n ast.Node) ast.Node {
	for range maxAliases {
		switch v := n.(type) {
		case *ast.AnchorNode:
			n = v.Value
		case *ast.TagNode:
			n = v.Value
		case *ast.AliasNode:
			name, _ := yamldoc.Text(v.Value)
			n = t.anchors[name]
		default:
			return n
		}
	}
	return nil
}

// maxMerges bounds how deep merge keys (<<) may lead to others.
const maxMerges = 5

// entry finds a key of a mapping; nil where there is none. Of a key that is there twice, which is reported,
// the last counts, and the mapping's own goes before what a merge key brings: as for Kubernetes' own parser.
func (t tree) entry(n ast.Node, key string) *ast.MappingValueNode { return t.merged(n, key, maxMerges) }

func (t tree) merged(n ast.Node, key string, depth int) *ast.MappingValueNode {
	var found, merged *ast.MappingValueNode
	entries, _ := yamldoc.Entries(t.value(n))
	for _, e := range entries {
		if text, ok := yamldoc.Text(e.Key); ok && text == key {
			found = e
		}
		if _, merge := e.Key.(*ast.MergeKeyNode); merge && merged == nil && depth > 0 {
			merged = t.merge(e.Value, key, depth-1)
		}
	}
	if found == nil {
		return merged
	}
	return found
}

// all are the texts of a key, each time that a mapping has it.
func (t tree) all(n ast.Node, key string) (texts []string) {
	entries, _ := yamldoc.Entries(t.value(n))
	for _, e := range entries {
		if text, ok := yamldoc.Text(e.Key); ok && text == key {
			value, _ := yamldoc.Text(t.value(e.Value))
			texts = append(texts, value)
		}
	}
	return texts
}

// twice is the first entry whose key a mapping has already had; nil where there is none.
func (t tree) twice(n ast.Node) *ast.MappingValueNode {
	entries, _ := yamldoc.Entries(t.value(n))
	seen := map[string]bool{}
	for _, e := range entries {
		key, ok := yamldoc.Text(e.Key)
		if _, merge := e.Key.(*ast.MergeKeyNode); !ok || merge {
			continue
		}
		if seen[key] {
			return e
		}
		seen[key] = true
	}
	return nil
}

// merge finds a key in what a merge key names: a mapping, or a list of which the first that has it counts.
func (t tree) merge(n ast.Node, key string, depth int) *ast.MappingValueNode {
	sources := []ast.Node{n}
	if seq, ok := t.value(n).(*ast.SequenceNode); ok {
		sources = seq.Values[:min(len(seq.Values), maxEntries)]
	}
	for _, source := range sources {
		if e := t.merged(source, key, depth); e != nil {
			return e
		}
	}
	return nil
}

// get walks down mappings.
func (t tree) get(n ast.Node, keys ...string) ast.Node {
	for _, key := range keys {
		e := t.entry(n, key)
		if e == nil {
			return nil
		}
		n = e.Value
	}
	return t.value(n)
}

// text is a scalar's text; empty for anything else.
func (t tree) text(n ast.Node, keys ...string) string {
	text, _ := yamldoc.Text(t.get(n, keys...))
	return text
}

// items are a list's elements.
func (t tree) items(n ast.Node, keys ...string) []ast.Node {
	seq, ok := t.get(n, keys...).(*ast.SequenceNode)
	if !ok {
		return nil
	}
	return seq.Values[:min(len(seq.Values), maxObjects)]
}

// place is where a node begins in the file.
func (t tree) place(n ast.Node) (line, column int) {
	line, column = yamldoc.Place(n)
	return line + t.line - 1, column
}
