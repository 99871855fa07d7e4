package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestCheckAction: the action's inputs, the environment of its step and the
// script that reads it name the same things.
func TestCheckAction(t *testing.T) {
	folder := filepath.Join("..", "..", ".github", "actions", "check")
	names := func(file, pattern string) []string {
		text, err := os.ReadFile(filepath.Join(folder, file))
		if err != nil {
			t.Fatal(err)
		}
		var list []string
		for _, m := range regexp.MustCompile(pattern).FindAllSubmatch(text, -1) {
			if name := string(m[1]); !slices.Contains(list, name) {
				list = append(list, name)
			}
		}
		slices.Sort(list)
		return list
	}
	declared := names("action.yml", `(?m)^  ([a-z]+):\n    description:`)
	used := names("action.yml", `\$\{\{ inputs\.([a-z]+) \}\}`)
	if len(declared) < 10 {
		t.Errorf("inputs: %v", declared)
	}
	if diff := cmp.Diff(declared, used); diff != "" {
		t.Errorf("inputs declared and used:\n%s", diff)
	}
	if diff := cmp.Diff(names("action.yml", `(CHECK_[A-Z]+):`), names("run", `\$\{(CHECK_[A-Z]+):-`)); diff != "" {
		t.Errorf("the environment that is set, and read:\n%s", diff)
	}
	if info, err := os.Stat(filepath.Join(folder, "run")); err != nil || info.Mode()&0o111 == 0 {
		t.Errorf("the script cannot be run: %v", err)
	}
}
