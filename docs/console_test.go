package docs_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// A page is one Markdown file.
type page struct {
	file   string // from the root of the repository
	lines  []string
	blocks []block
}

// A block is fenced text of a page.
type block struct {
	language string // behind the fence: console, toml, …
	first    int    // index in page.lines of the first line within the fence
	end      int    // and of the closing fence
	why      string // why it is not run, from a comment ahead of the fence; "": it is
}

// A command is what a console block shows to be typed, and what came back.
type command struct {
	text  string // as a shell reads it: continuation lines included, prompts left out
	line  int    // of the prompt, from 1
	first int    // index in page.lines of the first line of output
	end   int    // and behind the last
}

// notRun finds the reason why the block below is not run.
var notRun = regexp.MustCompile(`^<!-- not run: (.*\S) -->$`)

// typed finds a line that a reader would type: a prompt, or one of our
// programs, or what runs it.
var typed = regexp.MustCompile(`^(\$ |skynet(d|-worker)? |go (run|install|test) |make )`)

// readPage reads a Markdown file and its fenced blocks.
func readPage(t *testing.T, file string) *page {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	p, err := parsePage(filepath.ToSlash(filepath.Join("docs", file)), string(text)) // from the repository's root
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// parsePage finds the blocks of a page. It is an error for a fence to stay
// open, and for something to be typed outside a console block without a reason.
func parsePage(file, text string) (*page, error) {
	p := &page{file: file, lines: strings.Split(text, "\n")}
	for i := 0; i < len(p.lines); i++ {
		language, fenced := strings.CutPrefix(p.lines[i], "```")
		if !fenced {
			continue
		}
		b := block{language: language, first: i + 1}
		if i > 0 {
			if m := notRun.FindStringSubmatch(p.lines[i-1]); m != nil {
				b.why = m[1]
			}
		}
		opened := i + 1
		for i++; i < len(p.lines) && p.lines[i] != "```"; i++ {
			if language != "console" && b.why == "" && typed.MatchString(p.lines[i]) {
				return nil, fmt.Errorf("%s:%d: %q would be typed: make the block ```console, or say <!-- not run: WHY --> on the line above it", file, i+1, p.lines[i])
			}
		}
		if i == len(p.lines) {
			return nil, fmt.Errorf("%s:%d: the block never ends", file, opened)
		}
		b.end = i
		p.blocks = append(p.blocks, b)
	}
	return p, nil
}

// commands returns what the blocks of the page run, in order.
func (p *page) commands() ([]command, error) {
	var all []command
	for _, b := range p.blocks {
		if b.language != "console" || b.why != "" {
			continue
		}
		if _, prompt := strings.CutPrefix(p.lines[b.first], "$ "); !prompt {
			return nil, fmt.Errorf("%s:%d: a console block begins with a command, \"$ …\"", p.file, b.first+1)
		}
		for i := b.first; i < b.end; {
			c := command{text: strings.TrimPrefix(p.lines[i], "$ "), line: i + 1}
			i++
			for i < b.end && strings.HasSuffix(p.lines[i-1], `\`) {
				c.text += "\n" + p.lines[i]
				i++
			}
			for i < b.end && (p.lines[i] == ">" || strings.HasPrefix(p.lines[i], "> ")) {
				c.text += "\n" + strings.TrimPrefix(strings.TrimPrefix(p.lines[i], ">"), " ")
				i++
			}
			c.first = i
			for i < b.end && !strings.HasPrefix(p.lines[i], "$ ") {
				i++
			}
			c.end = i
			all = append(all, c)
		}
	}
	return all, nil
}

// shown returns the output that the page shows for a command.
func (p *page) shown(c command) []string { return p.lines[c.first:c.end] }

func TestPageIsReadAsWritten(t *testing.T) {
	p, err := parsePage("p.md", strings.Join([]string{
		"```console", "$ one \\", "  more", "out", "$ cat <<E", "> a", ">", "> E", "a", "", "$ quiet", "```",
		"<!-- not run: it takes a day -->", "```console", "$ day", "```",
		"```toml", "x = 1", "```",
	}, "\n"))
	if err != nil {
		t.Fatal(err)
	}
	got, err := p.commands()
	if err != nil {
		t.Fatal(err)
	}
	want := []struct{ text, shown string }{
		{"one \\\n  more", "out"}, {"cat <<E\na\n\nE", "a\n"}, {"quiet", ""},
	}
	if len(got) != len(want) {
		t.Fatalf("%d commands, want %d", len(got), len(want))
	}
	for i, w := range want {
		if shown := strings.Join(p.shown(got[i]), "\n"); got[i].text != w.text || shown != w.shown {
			t.Errorf("command %d is %q showing %q, want %q showing %q", i, got[i].text, shown, w.text, w.shown)
		}
	}
	if why := p.blocks[1].why; why != "it takes a day" {
		t.Errorf("reason %q", why)
	}
	for _, bad := range []string{"```\n$ ls\n```", "```sh\nskynet tune x\n```", "```console\n$ never closed"} {
		if _, err := parsePage("bad.md", bad); err == nil {
			t.Errorf("%q: no error", bad)
		}
	}
	if p, err := parsePage("bad.md", "```console\nno prompt\n```"); err != nil {
		t.Error(err)
	} else if _, err := p.commands(); err == nil {
		t.Error("a block without a prompt: no error")
	}
}
