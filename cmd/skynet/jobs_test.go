package main

import "testing"

func TestOneLine(t *testing.T) {
	for _, tt := range []struct {
		text string
		most int
		want string
	}{
		{"", 5, ""},
		{"exit status 1:\n  no such\tfile\n", 40, "exit status 1: no such file"},
		{"grün", 4, "grün"},
		{"grüner", 4, "grü…"},
	} {
		if got := oneLine(tt.text, tt.most); got != tt.want {
			t.Errorf("%q to %d: %q, want %q", tt.text, tt.most, got, tt.want)
		}
	}
}
