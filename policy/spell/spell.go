// Package spell finds what somebody meant to write, and writes what they may copy.
package spell

import (
	"fmt"
	"strings"
)

// Nearest returns the known word that takes the fewest edits to get from word,
// else the first that word begins, else "". More than two edits, or a third of
// a long word, are another word. Case does not count. The earlier of equals
// wins.
func Nearest(word string, known []string) string {
	const longest = 128
	if len(word) > longest {
		return "" // no word of ours is that long
	}
	lower := strings.ToLower(word)
	best, fewest := "", max(2, len(word)/3)+1
	for _, k := range known {
		if k == word {
			continue
		}
		if n := edits(lower, strings.ToLower(k)); n < fewest && n < len(k) {
			best, fewest = k, n
		}
	}
	for _, k := range known {
		if best == "" && len(word) > 1 && k != word && strings.HasPrefix(strings.ToLower(k), lower) {
			best = k
		}
	}
	return best
}

// DidYouMean returns a suggestion such as ` (did you mean "type"?)`, or ""
// where no known word is near.
func DidYouMean(word string, known []string) string {
	if near := Nearest(word, known); near != "" {
		return fmt.Sprintf(" (did you mean %q?)", near)
	}
	return ""
}

// Shell returns text as one word of a shell.
func Shell(text string) string {
	if text != "" && !strings.ContainsAny(text, " \t\n\"'\\$`*?[](){}<>|&;#~!") {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}

// edits returns how many bytes must be inserted, deleted or replaced to turn a
// into b.
func edits(a, b string) int {
	row := make([]int, len(b)+1) // row[j]: from the part of a read so far to b[:j]
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replace := diagonal
			if a[i] != b[j] {
				replace++
			}
			diagonal = row[j+1]
			row[j+1] = min(replace, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
