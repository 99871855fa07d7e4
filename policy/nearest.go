package policy

import (
	"fmt"
	"strings"
)

// unknownType tells what may stand in place of a type the catalog lacks: the
// type that was probably meant, or all of them.
func unknownType(c *Catalog, name string) string {
	best, distance := "", 3
	for i := range c.Types {
		if len(name) > 2*len(c.Types[i].Name) {
			continue // nothing anybody mistyped
		}
		if d := edits(strings.ToLower(name), strings.ToLower(c.Types[i].Name)); d < distance {
			best, distance = c.Types[i].Name, d
		}
	}
	if best != "" {
		return fmt.Sprintf("a type of catalog %s: did you mean %s?", c.Name, best)
	}
	return fmt.Sprintf("a type of catalog %s: %s", c.Name, strings.Join(c.Names(), ", "))
}

// edits returns how many letters must be inserted, deleted or replaced to turn
// a into b.
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
			row[j+1] = min(cost, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}
