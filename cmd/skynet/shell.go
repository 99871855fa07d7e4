package main

import "strings"

// shellWord returns text as one word of a shell.
func shellWord(text string) string {
	if text != "" && !strings.ContainsAny(text, " \t\n\"'\\$`*?[](){}<>|&;#~!") {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}

// commandLine returns words as a shell reads them.
func commandLine(words []string) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		quoted[i] = shellWord(w)
	}
	return strings.Join(quoted, " ")
}
