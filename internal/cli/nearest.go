package cli

import (
	"fmt"
	"strings"
)

// nearest is the known word that a mistyped one most likely means; empty where none is near. A word that begins with
// it, or holds it, is near too.
func nearest(word string, known []string) string {
	word = strings.ToLower(word[:min(len(word), 64)])
	best, least := "", len(word)/3+2
	for _, k := range known {
		if d := editDistance(word, k); d < least {
			best, least = k, d
		}
	}
	if best == "" && len(word) >= 3 {
		for _, k := range known {
			if strings.Contains(k, word) {
				return k
			}
		}
	}
	return best
}

// oneOf is the hint for a word that is none of the known ones.
func oneOf(word string, known []string) string {
	all := "one of " + strings.Join(known, ", ")
	if near := nearest(word, known); near != "" {
		return fmt.Sprintf("did you mean %q? (%s)", near, all)
	}
	return all
}

// editDistance is the number of insertions, deletions and substitutions that make b of a (Levenshtein).
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			diagonal, row[j+1] = row[j+1], min(row[j+1]+1, row[j]+1, diagonal+cost)
		}
	}
	return row[len(b)]
}
