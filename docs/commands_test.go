//go:build unix

// Package docs_test runs what the documentation shows. Every command of a
// block marked ```console in README.md or under docs/ is typed into a shell,
// and what it prints must be what the page shows:
//
//   - A page is one shell session in a folder with scenarios/ and docs/samples/:
//     what one command writes, the next may read. skynet, skynetd and
//     skynet-worker are those of this tree. Pages run side by side.
//   - "$ " begins a command. Lines behind a final backslash, and lines that
//     begin with "> ", continue it.
//   - "…" alone on a line stands for lines left out.
//   - A command that exits with another code than 0 is followed by "$ echo $?".
//   - <!-- not run: WHY --> on the line above a block keeps it from being run.
//     Such blocks are counted, and there are no more of them than notRunMost.
//   - A block of another language shows nothing that would be typed, unless it
//     is marked so.
//
// go test ./docs -rewrite puts what was printed into the pages, but leaves
// alone lines that differ in run times only; with -times it takes those too,
// which is for a quiet machine (and -parallel 1). Read the difference before
// you commit it.
package docs_test

import (
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var (
	rewrite = flag.Bool("rewrite", false, "write what commands print into the pages that show it")
	times   = flag.Bool("times", false, "with -rewrite: run times too")
)

// notRunMost bounds the blocks that are not run: minutes of work, or services
// that a test does not have.
const notRunMost = 20

// pageFiles returns the Markdown files that users read.
func pageFiles(t *testing.T) []string {
	t.Helper()
	files := []string{"../README.md"}
	err := filepath.WalkDir(".", func(name string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() && filepath.Ext(name) == ".md" {
			files = append(files, name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestCommandsPrintWhatPagesShow(t *testing.T) {
	bin := programs(t)
	left := 0
	for _, file := range pageFiles(t) {
		p := readPage(t, file)
		for _, b := range p.blocks {
			if b.why != "" {
				left++
				t.Logf("%s:%d: not run: %s", p.file, b.first, b.why)
			}
		}
		commands, err := p.commands()
		if err != nil {
			t.Fatal(err)
		}
		if len(commands) == 0 {
			continue
		}
		t.Run(p.file, func(t *testing.T) {
			t.Parallel()
			got, cpu := run(t, commands, desk(t), bin)
			t.Logf("%d commands, %.1f s of CPU", len(commands), cpu.Seconds())
			if judge(t, p, commands, got) && *rewrite {
				if err := os.WriteFile(file, []byte(strings.Join(p.lines, "\n")), 0o644); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
	if left > notRunMost {
		t.Errorf("%d blocks are not run, at most %d may be: show something that can be", left, notRunMost)
	}
}

// judge compares a session with its page. With -rewrite it changes the lines
// of the page where they differ, and reports whether it did.
func judge(t *testing.T, p *page, commands []command, got []reply) (changed bool) {
	t.Helper()
	for i := len(commands) - 1; i >= 0; i-- { // from the end, so that places stay
		c, r := commands[i], got[i]
		lines, shown := printed(r.output), p.shown(c)
		switch {
		case !r.ended:
			t.Errorf("%s:%d: %s: the shell ended here or before", p.file, c.line, c.text)
		case r.code != 0 && (i+1 == len(commands) || commands[i+1].text != "echo $?"):
			t.Errorf("%s:%d: %s: exit code %d; \"$ echo $?\" must follow and show it\n%s", p.file, c.line, c.text, r.code, r.output)
		case agree(shown, lines) && !(*rewrite && *times):
		case *rewrite && !slices.Contains(shown, elided):
			if !*times {
				lines = refresh(shown, lines)
			}
			p.lines = append(p.lines[:c.first:c.first], append(lines, p.lines[c.end:]...)...)
			changed = true
		default:
			at, wants, is := difference(shown, lines)
			t.Errorf("%s:%d: %s\nline %d shows   %s\nbut it prints %s\nwhole output:\n%s\n(go test ./docs -rewrite puts it in, unless \"…\" stands there)",
				p.file, c.line, c.text, at+1, wants, is, r.output)
		}
	}
	return changed && !t.Failed()
}
