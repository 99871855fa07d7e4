package main

import (
	"strings"

	"github.com/skynet-ec2/skynet/policy/spell"
)

// commandLine returns words as a shell reads them.
func commandLine(words []string) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		quoted[i] = spell.Shell(w)
	}
	return strings.Join(quoted, " ")
}
