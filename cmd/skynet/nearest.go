package main

import (
	"fmt"
	"strings"
)

// didYouMean returns a suggestion such as ` (did you mean "trace"?)`, or ""
// where no known word is near.
func didYouMean(word string, known []string) string {
	if near := nearest(word, known); near != "" {
		return fmt.Sprintf(" (did you mean %q?)", near)
	}
	return ""
}

// nearest returns the known word that takes the fewest edits to get from word,
// at most two, else the first that word begins, else "". The earlier of equals
// wins.
func nearest(word string, known []string) string {
	word = strings.ToLower(word)
	if len(word) > 64 {
		return "" // no word of ours is that long
	}
	best, fewest := "", 3
	for _, k := range known {
		if n := edits(word, k); n < fewest && n < len(k) {
			best, fewest = k, n
		}
	}
	for _, k := range known {
		if best == "" && len(word) > 1 && strings.HasPrefix(k, word) {
			best = k
		}
	}
	return best
}

// edits returns how many bytes must be inserted, deleted or replaced to turn
// a into b.
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
