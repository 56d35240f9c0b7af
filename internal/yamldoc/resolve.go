package yamldoc

import (
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// Aliases can make a small file grow without end: what is visited through them is counted.
const (
	MaxVisits  = 500_000 // nodes of one document
	maxAliases = 10      // in a row
	maxMerges  = 32      // merge keys that lead to mappings with merge keys
)

// TooLarge is the problem of a document that takes more than MaxVisits.
const (
	TooLarge     = "the file grows too large when its aliases are followed"
	TooLargeHint = "write out what the aliases (*name) stand for"
)

// Resolver finds the values of one document: it follows anchors, aliases and tags, and merges mappings (<<).
type Resolver struct {
	report func(at ast.Node, message, hint string)
	// aliases has the node that each alias stands for: that of the nearest anchor of its name before it (YAML 1.2.2 §7.1).
	aliases map[*ast.AliasNode]ast.Node
	// entries has the entries of the mappings seen so far that had no problems.
	entries map[ast.Node][]Entry
	visits  int
	reports int
	depth   int
}

// NewResolver returns a Resolver for a document. It calls report for every problem that it meets, each time it meets it.
func NewResolver(root ast.Node, report func(at ast.Node, message, hint string)) *Resolver {
	r := &Resolver{report: report, aliases: map[*ast.AliasNode]ast.Node{}, entries: map[ast.Node][]Entry{}}
	if root != nil {
		ast.Walk(anchors{r.aliases, map[string]ast.Node{}}, root)
	}
	return r
}

// anchors is a visitor that pairs aliases with anchors, in the order of the document.
type anchors struct {
	aliases map[*ast.AliasNode]ast.Node
	byName  map[string]ast.Node
}

// Visit implements ast.Visitor.
func (a anchors) Visit(n ast.Node) ast.Visitor {
	switch v := n.(type) {
	case *ast.AnchorNode:
		if name, ok := Text(v.Name); ok {
			a.byName[name] = v.Value
		}
	case *ast.AliasNode:
		name, _ := Text(v.Value)
		if value, ok := a.byName[name]; ok {
			a.aliases[v] = value
		}
	}
	return a
}

// Spend counts visits of nodes and reports whether the document is within MaxVisits.
func (r *Resolver) Spend(visits int) bool {
	r.visits += visits
	return r.visits <= MaxVisits
}

// Visits returns how many visits were counted.
func (r *Resolver) Visits() int { return r.visits }

func (r *Resolver) problem(at ast.Node, message, hint string) {
	r.reports++
	r.report(at, message, hint)
}

// Value follows anchors, aliases and YAML's own tags to the node with the value. It is nil if there is none, which is reported.
func (r *Resolver) Value(n ast.Node) ast.Node {
	for range maxAliases {
		switch v := n.(type) {
		case *ast.AnchorNode:
			n = v.Value
		case *ast.AliasNode:
			value, ok := r.aliases[v]
			if !ok {
				// The text is not repeated: it may be a secret that should be in quotes.
				r.problem(n, "no anchor of this name comes before this alias", "put text that begins with * in quotes, or define the anchor above")
				return nil
			}
			n = value
		case *ast.TagNode:
			if !strings.HasPrefix(v.Start.Value, "!!") {
				r.problem(n, "this tag is not supported", "put text that begins with ! in quotes")
				return nil
			}
			n = v.Value
		default:
			return n
		}
	}
	r.problem(n, "aliases refer to each other without end", "write out what they stand for")
	return nil
}

// Follow returns the node with a value, behind anchors, aliases and any tag. It reports nothing, and is nil if there is none.
func (r *Resolver) Follow(n ast.Node) ast.Node {
	for range maxAliases {
		switch v := n.(type) {
		case *ast.AnchorNode:
			n = v.Value
		case *ast.AliasNode:
			n = r.aliases[v]
		case *ast.TagNode:
			n = v.Value
		case *ast.MappingKeyNode:
			n = v.Value
		default:
			return n
		}
	}
	return nil
}

// Entry is a key of a mapping with its value.
type Entry struct {
	Key  string
	Node *ast.MappingValueNode
	// First is the mapping's first entry with this key, if Node is not that one.
	First *ast.MappingValueNode
}

// Entries returns a mapping's own entries, and behind them those of the mappings that it merges (<<) whose keys it lacks; of
// several mappings the first with a key counts (https://yaml.org/type/merge.html). Repeated keys are returned, for the caller to
// report. Keys that are not text are reported and left out. It is false if n is not a mapping.
func (r *Resolver) Entries(n ast.Node) ([]Entry, bool) {
	values, ok := Entries(n)
	if !ok {
		return nil, false
	}
	if entries, ok := r.entries[n]; ok {
		return entries, true
	}
	before := r.reports
	own, sources := r.own(values)
	if len(sources) > 0 {
		own = r.merge(own, sources)
	}
	if r.reports == before && r.Spend(0) {
		r.entries[n] = slices.Clip(own)
	}
	return own, true
}

// own splits a mapping's entries into its own and the values of its merge keys.
func (r *Resolver) own(values []*ast.MappingValueNode) (own []Entry, sources []ast.Node) {
	firsts := make(map[string]*ast.MappingValueNode, len(values))
	for _, value := range values {
		if value.Key.IsMergeKey() {
			sources = append(sources, value.Value)
			continue
		}
		key, ok := keyText(value.Key)
		if !ok {
			r.problem(value.Key, "a key must be text, not "+Kind(value.Key), "put it in quotes")
			continue
		}
		own = append(own, Entry{key, value, firsts[key]})
		if firsts[key] == nil {
			firsts[key] = value
		}
	}
	return own, sources
}

func (r *Resolver) merge(own []Entry, sources []ast.Node) []Entry {
	r.depth++
	defer func() { r.depth-- }()
	has := make(map[string]bool, len(own))
	for _, e := range own {
		has[e.Key] = true
	}
	for _, mapping := range r.mappings(sources) {
		entries, ok := r.Entries(mapping)
		if !ok {
			r.problem(mapping, "what << merges must be a mapping, not "+Kind(mapping), "write its keys below it, indented: key: value")
		}
		if !r.Spend(1 + len(entries)) {
			return own
		}
		count := len(own)
		for _, e := range entries {
			if !has[e.Key] {
				own = append(own, e)
			}
		}
		for _, e := range own[count:] {
			has[e.Key] = true
		}
	}
	return own
}

// mappings returns what merge keys name: each is a mapping or a list of mappings.
func (r *Resolver) mappings(sources []ast.Node) []ast.Node {
	if r.depth > maxMerges {
		r.visits = MaxVisits + 1 // the chain has a loop
		return nil
	}
	var out []ast.Node
	for _, source := range sources {
		value := r.Value(source)
		list, ok := value.(*ast.SequenceNode)
		if !ok {
			list = &ast.SequenceNode{Values: []ast.Node{value}}
		}
		if !r.Spend(len(list.Values)) {
			return out
		}
		for _, item := range list.Values {
			if value := r.Value(item); value != nil {
				out = append(out, value)
			}
		}
	}
	return out
}

func keyText(key ast.Node) (string, bool) {
	switch v := key.(type) {
	case *ast.MappingKeyNode: // "? key"
		return keyText(v.Value)
	case *ast.AnchorNode:
		return keyText(v.Value)
	case *ast.TagNode:
		if v.Start.Value == "!!str" {
			return keyText(v.Value)
		}
	}
	return Text(key)
}
