package traces

import (
	"fmt"
	"strings"
)

// nearest returns a suggestion such as ` (did you mean "type"?)`, or "" when
// no known word is close to word.
func nearest(word string, known []string) string {
	word = strings.ToLower(word)
	if len(word) > 64 {
		return ""
	}
	best, at := 3, "" // more than two edits are another word
	for _, k := range known {
		if d := edits(word, k); d < best && d < len(k) {
			best, at = d, k
		}
	}
	if at == "" {
		for _, k := range known {
			if len(word) >= 3 && (strings.HasPrefix(k, word) || strings.HasPrefix(word, k)) {
				at = k
				break
			}
		}
	}
	if at == "" {
		return ""
	}
	return fmt.Sprintf(" (did you mean %q?)", at)
}

// edits returns the Levenshtein distance between a and b.
func edits(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
