package scenarios

import "strings"

// nearest returns the known word that takes the fewest edits to get from word,
// else the first that word begins, else "". More than two edits, or a third of
// a long word, are another word. The earlier of equals wins.
func nearest(word string, known []string) string {
	if len(word) > 128 {
		return ""
	}
	lower := strings.ToLower(word)
	best, least := "", max(2, len(word)/3)+1
	for _, k := range known {
		if k == word {
			continue
		}
		if n := edits(lower, strings.ToLower(k)); n < least && n < len(k) {
			best, least = k, n
		}
	}
	for _, k := range known {
		if best == "" && len(word) > 2 && strings.HasPrefix(strings.ToLower(k), lower) {
			best = k
		}
	}
	return best
}

// edits returns how many bytes must be inserted, deleted or replaced to turn a
// into b.
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
