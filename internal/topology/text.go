package topology

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"certdrift/internal/arn"
	"certdrift/internal/finding"
	"certdrift/internal/target"
)

// CleanAll makes remote texts safe to show.
func CleanAll(texts []string) []string {
	out := make([]string, 0, len(texts))
	for _, t := range texts {
		out = append(out, finding.Clean(t, finding.QuoteLimit))
	}
	return out
}

// Some lists the first few texts for a sentence.
func Some(texts []string) string {
	const few = 3
	if len(texts) > few {
		return strings.Join(CleanAll(texts[:few]), ", ") + fmt.Sprintf(" and %d more", len(texts)-few)
	}
	return strings.Join(CleanAll(texts), ", ")
}

// ShortARN is an ARN's resource, which distinguishes certificates within an account.
func ShortARN(text string) string {
	if a, ok := arn.Split(text); ok {
		text = a.Resource
	}
	return finding.Clean(text, finding.QuoteLimit)
}

// ShortARNs are the resources of ARNs; "no certificate" of none.
func ShortARNs(arns []string) []string {
	out := make([]string, 0, len(arns))
	for _, a := range arns {
		out = append(out, ShortARN(a))
	}
	if len(out) == 0 {
		out = append(out, "no certificate")
	}
	return out
}

// Position is FILE:LINE, as editors and compilers write it; empty where unknown.
func Position(p target.Position) string {
	switch {
	case p.File == "":
		return ""
	case p.Line == 0:
		return finding.Clean(p.File, finding.QuoteLimit)
	}
	return fmt.Sprintf("%s:%d", finding.Clean(p.File, finding.QuoteLimit), p.Line)
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
