//go:build unix

package docs_test

import (
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// span finds code within a line.
var span = regexp.MustCompile("`([^`]+)`")

// flagName finds the flags of a command line, and of a help text.
var flagName = regexp.MustCompile(`(?:^|[\s\[])(--[a-z][a-z-]*)`)

// verbName is a word that may be a verb.
var verbName = regexp.MustCompile(`^[a-z][a-z0-9-]*$`)

// A mention is a command that a page speaks of without running it.
type mention struct {
	at   int // line, from 1
	text string
}

// mentions returns the commands of skynet, skynetd and skynet-worker that a
// page mentions in its text, or shows without running them.
func (p *page) mentions() []mention {
	var all []mention
	add := func(at int, text string) {
		text = strings.TrimPrefix(ours(text), "bin/")
		if ownProgram.MatchString(text) {
			all = append(all, mention{at, text})
		}
	}
	for _, b := range p.blocks {
		if b.why == "" {
			continue
		}
		for i := b.first; i < b.end; i++ {
			from := i
			text := strings.TrimPrefix(p.lines[i], "$ ")
			for strings.HasSuffix(text, `\`) && i+1 < b.end {
				i++
				text = strings.TrimSuffix(text, `\`) + p.lines[i]
			}
			if b.language != "console" || strings.HasPrefix(p.lines[from], "$ ") {
				add(from+1, text)
			}
		}
	}
	fenced := false
	for i, line := range p.lines {
		if strings.HasPrefix(line, "```") {
			fenced = !fenced
		}
		if fenced {
			continue
		}
		for _, m := range span.FindAllStringSubmatch(line, -1) {
			add(i+1, m[1])
		}
	}
	return all
}

var ownProgram = regexp.MustCompile(`^skynet(d|-worker)? [^=]`)

// helps answers what a program says of a verb, asked once.
type helps struct {
	bin  string
	said map[string]string // "" where there is no such verb
}

// help returns the help of a program for some words, or "".
func (h *helps) help(words ...string) string {
	key := strings.Join(words, " ")
	text, known := h.said[key]
	if !known {
		c := exec.Command(filepath.Join(h.bin, words[0]), append([]string{"help"}, words[1:]...)...)
		if out, err := c.Output(); err == nil {
			text = string(out)
		}
		h.said[key] = text
	}
	return text
}

// wrong returns what is wrong with a command line as it is mentioned: a verb
// or a flag that the program does not have.
func (h *helps) wrong(text string) string {
	words := strings.Fields(text)
	path := words[:1]
	about := h.help(path...)
	if about == "" {
		return "" // the program is not in this tree
	}
	all := about
	for _, word := range words[1:] {
		if !verbName.MatchString(word) || !strings.Contains(about, "The verbs are:") {
			break
		}
		path = append(path, word)
		if about = h.help(path...); about == "" {
			return "there is no verb " + strings.Join(path, " ")
		}
		all += about
	}
	known := map[string]bool{"--help": true}
	for _, m := range flagName.FindAllStringSubmatch(all, -1) {
		known[m[1]] = true
	}
	for _, m := range flagName.FindAllStringSubmatch(text, -1) {
		if !known[m[1]] {
			return strings.Join(path, " ") + " has no flag " + m[1]
		}
	}
	return ""
}

// TestMentionedVerbsAndFlagsExist checks the commands that are not run.
func TestMentionedVerbsAndFlagsExist(t *testing.T) {
	h := &helps{bin: programs(t), said: map[string]string{}}
	n := 0
	for _, file := range pageFiles(t) {
		p := readPage(t, file)
		for _, m := range p.mentions() {
			n++
			if wrong := h.wrong(m.text); wrong != "" {
				t.Errorf("%s:%d: %s: %s", p.file, m.at, m.text, wrong)
			}
		}
	}
	if n < 20 {
		t.Errorf("%d mentions were found", n)
	}
	for _, bad := range []string{"skynet simulat x", "skynet trace impart FILE", "skynet tune SCENARIO --budgit 3"} {
		if h.wrong(bad) == "" {
			t.Errorf("%s: nothing wrong", bad)
		}
	}
}

// link finds where a page points to.
var link = regexp.MustCompile(`\]\(([^)#\s]+)(#[^)\s]*)?\)`)

// TestLinksLead checks every link to another file of the repository.
func TestLinksLead(t *testing.T) {
	for _, file := range append(pageFiles(t), "../CHANGELOG.md") {
		p := readPage(t, file)
		for i, line := range p.lines {
			for _, m := range link.FindAllStringSubmatch(line, -1) {
				if strings.Contains(m[1], "://") {
					continue
				}
				if found, err := filepath.Glob(filepath.Join(filepath.Dir(file), m[1])); err != nil || len(found) == 0 {
					t.Errorf("%s:%d: %s leads nowhere", p.file, i+1, m[1])
				}
			}
		}
	}
}
