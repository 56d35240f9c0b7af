package yamldoc

import (
	"regexp"
	"slices"

	"github.com/goccy/go-yaml/ast"

	"certdrift/internal/finding"
)

// legacyBools are words that YAML 1.1, which Kubernetes' parser follows, takes for true or false; numbers are what it takes for a
// number (https://yaml.org/type/bool.html, https://yaml.org/type/int.html, https://yaml.org/type/float.html, without base 60, which
// that parser does not know).
var (
	legacyBools = [...]string{
		"y", "Y", "yes", "Yes", "YES", "n", "N", "no", "No", "NO", "on", "On", "ON", "off", "Off", "OFF", "true", "True", "TRUE", "false", "False", "FALSE",
	}
	numbers = regexp.MustCompile(`^[-+]?(0b[01_]+|0x[0-9a-fA-F_]+|0o[0-7_]+|(\.[0-9]+|[0-9][0-9_]*(\.[0-9_]*)?)([eE][-+]?[0-9]+)?|\.(inf|Inf|INF))$|^\.(nan|NaN|NAN)$`)
)

// KubernetesKind is Kind as Kubernetes' parser has it, which follows YAML 1.1: yes, no, on and off without quotes are true or false. It
// follows anchors and aliases; what has a tag is what the tag says. It is empty where the node has no value.
func (r *Resolver) KubernetesKind(n ast.Node) string {
	for range maxAliases {
		switch v := n.(type) {
		case *ast.AnchorNode:
			n = v.Value
			continue
		case *ast.AliasNode:
			n = r.aliases[v]
			continue
		case *ast.TagNode:
			if v.Start.Value == "!!str" || v.Start.Value == "!!binary" {
				return "text"
			}
			n = v.Value
			continue
		case *ast.StringNode:
			switch {
			case Quoted(v):
			case slices.Contains(legacyBools[:], v.Value):
				return "true or false"
			case numbers.MatchString(v.Value):
				return "a number"
			}
		case nil:
			return ""
		}
		return Kind(n)
	}
	return ""
}

// dedented is a visitor that finds values which begin on a later line than their key and no further to the right. YAML has no such
// (YAML 1.2.2 §8.2.2), and kubectl refuses them: the parser takes a sentence behind a document, as Helm's NOTES, for a part of it.
type dedented struct{ found *Problem }

// Visit implements ast.Visitor.
func (d dedented) Visit(n ast.Node) ast.Visitor {
	mapping, isMapping := n.(*ast.MappingNode)
	list, isList := n.(*ast.SequenceNode)
	if d.found.Line > 0 || isMapping && mapping.IsFlowStyle || isList && list.IsFlowStyle { // within brackets, indentation means nothing
		return nil
	}
	values, _ := Entries(n)
	for _, e := range values {
		if _, explicit := e.Key.(*ast.MappingKeyNode); explicit || e.Value == nil || e.Key == nil {
			continue
		}
		if list, ok := e.Value.(*ast.SequenceNode); ok && !list.IsFlowStyle { // it may begin where its key does
			continue
		}
		if _, null := e.Value.(*ast.NullNode); null {
			continue
		}
		line, column := Position(e.Key)
		at, from := tokenPosition(e.Value.GetToken())
		if at > line && from <= column {
			*d.found = Problem{at, from, "the YAML cannot be parsed: " + finding.Quote(keyOf(e)) + " has no value on its line, and what follows is not indented", "indent it, or remove text that is not part of the document"}
			return d
		}
	}
	return d
}

func keyOf(e *ast.MappingValueNode) string {
	key, _ := keyText(e.Key)
	return key
}
