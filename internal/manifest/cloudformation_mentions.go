package manifest

import (
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"certdrift/internal/finding"
	"certdrift/internal/yamldoc"
)

// mentions returns what the first text below a node says, keys and the functions' arguments included; empty if none says anything.
func (t template) mentions(n ast.Node, says func(string) string) string {
	return t.mentioned(n, says, 0)
}

func (t template) mentioned(n ast.Node, says func(string) string, depth int) string {
	if depth > maxNested || !t.doc.Spend(1) {
		return "more than certdrift reads"
	}
	n = t.doc.Follow(n)
	if entries, ok := yamldoc.Entries(n); ok {
		for _, e := range entries {
			for _, part := range []ast.Node{e.Key, e.Value} {
				if what := t.mentioned(part, says, depth+1); what != "" {
					return what
				}
			}
		}
		return ""
	}
	if list, ok := n.(*ast.SequenceNode); ok {
		for _, item := range list.Values {
			if what := t.mentioned(item, says, depth+1); what != "" {
				return what
			}
		}
		return ""
	}
	text, _ := yamldoc.Text(n)
	return says(text)
}

// refers returns the certificate or the load balancer's part that a value refers to; empty if it refers to none.
func (t template) refers(value any, depth int) string {
	switch x := value.(type) {
	case reference:
		if res := t.resources[x.id]; res != nil && slices.Contains([]string{acmCertificate, iamCertificate, stackListener, stackListed}, res.kind) {
			return x.id
		}
	case []any:
		for _, one := range x {
			if id := t.refers(one, depth+1); id != "" {
				return id
			}
		}
	case map[string]any:
		for _, one := range x {
			if id := t.refers(one, depth+1); id != "" {
				return id
			}
		}
	}
	return ""
}

// namesAnyListener is namesListener for a text that may be the type of a resource.
func namesAnyListener(text string) string {
	if hidden, shown := mayMakeListeners(text); strings.Contains(text, "::") && (hidden || shown) || strings.Contains(text, "::${") {
		return finding.Quote(text)
	}
	return namesListener(text)
}
