package cli

import (
	"context"
	"io"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

func TestOneOf(t *testing.T) {
	for _, tt := range []struct {
		words []string
		want  string
	}{
		{nil, ""},
		{[]string{"text"}, "text"},
		{[]string{"text", "json"}, "text or json"},
		{[]string{"a", "b", "c"}, "a, b or c"},
	} {
		if got := OneOf(tt.words); got != tt.want {
			t.Errorf("OneOf(%q) = %q, want %q", tt.words, got, tt.want)
		}
	}
}

func TestExactArgs(t *testing.T) {
	accept := ExactArgs("SCENARIO", "POLICY")
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"a", "b"}, ""},
		{nil, "missing SCENARIO, POLICY"},
		{[]string{"a"}, "missing POLICY"},
		{[]string{"a", "b", "c"}, `unexpected argument "c"`},
	} {
		got := ""
		if err := accept(nil, tt.args); err != nil {
			got = err.Error()
		}
		if got != tt.want {
			t.Errorf("%q: %q, want %q", tt.args, got, tt.want)
		}
	}
}

// Who names a file by a variable that is not set hears of it, and does not run
// something else.
func TestRefuseEmpty(t *testing.T) {
	for _, tt := range []struct {
		args []string
		want string
	}{
		{nil, ""},
		{[]string{"x", "--policy", "p", "--heading="}, ""},
		{[]string{"--state="}, ""},
		{[]string{"x", ""}, "an argument is empty"},
		{[]string{"--policy", ""}, "--policy: is empty: it takes a file"},
		{[]string{"--report=", "--output="}, "--output: is empty: it takes a file\n--report: is empty: it takes a folder"},
	} {
		c := &cobra.Command{Use: "verb"}
		c.Flags().String("policy", "", "decide by this `file`")
		c.Flags().String("report", "", "write a page to this `folder`")
		c.Flags().String("output", "", "write to `FILE`")
		c.Flags().String("heading", "", "begin with this `heading`")
		c.Flags().String("state", "", "keep it in this `file`; empty: in memory")
		if err := c.ParseFlags(tt.args); err != nil {
			t.Fatal(err)
		}
		got := ""
		if err := refuseEmpty(c, c.Flags().Args()); err != nil {
			got = err.Error()
		}
		if got != tt.want {
			t.Errorf("%q: %q, want %q", tt.args, got, tt.want)
		}
	}
}

// A wrong value is answered with what the flag takes, not with what a parser of
// Go says.
func TestFlagErrors(t *testing.T) {
	for _, tt := range []struct{ args, want string }{
		{"--seed x", "--seed x: must be a whole number from 0"},
		{"--seed -1", "--seed -1: must be a whole number from 0"},
		{"--seed 99999999999999999999", "--seed 99999999999999999999: must be a whole number from 0 to 18446744073709551615"},
		{"--priority 256", "--priority 256: must be a whole number from 0 to 255"},
		{"--priority high", "--priority high: must be a whole number from 0 to 255"},
		{"--runs 99999999999999999999", "--runs 99999999999999999999: is too large or too small"},
		{"--runs 1.5", "--runs 1.5: must be a whole number"},
		{"--speed fast", "--speed fast: must be a number"},
		{"--wait 5", "--wait 5: must be a time with its unit, such as 30s or 5m"},
		{"--once=maybe", "--once maybe: must be true or false"},
		{"--map foo", "--map foo: must be KEY=VALUE"},
		{"--width doubel", `--width doubel: must be single or double (did you mean "double"?)`},
		{"--runs 2", "missing --output FILE"},
		{"--output=x", ""},
		{"-o x --sede 2", "unknown flag: --sede (did you mean --seed?)"},
	} {
		var stderr strings.Builder
		a := New(Program{Name: "tool"}, context.Background(), io.Discard, &stderr)
		verb := &cobra.Command{Use: "do", RunE: func(*cobra.Command, []string) error { return nil }}
		f := verb.Flags()
		f.Uint64("seed", 1, "")
		f.Uint8("priority", 0, "")
		f.Int("runs", 1, "")
		f.Float64("speed", 1, "")
		f.Duration("wait", 0, "")
		f.Bool("once", false, "")
		f.StringToString("map", nil, "")
		f.StringP("output", "o", "", "write to this `FILE`")
		ChoiceVar(f, new(string), "width", "single", "", []string{"single", "double"})
		Require(verb, "output")

		code := a.Execute([]*cobra.Command{verb}, append([]string{"do"}, strings.Fields(tt.args)...))
		wantCode, want := ExitGood, ""
		if tt.want != "" {
			wantCode, want = ExitBadInput, "tool: "+tt.want+"\nRun \"tool help do\" for usage.\n"
		}
		if got := stderr.String(); code != wantCode || got != want {
			t.Errorf("%s: exit code %d, %q; want %d, %q", tt.args, code, got, wantCode, want)
		}
	}
}

func TestKept(t *testing.T) {
	const nothing = ": nothing is kept, as it would be with --resume FOLDER"
	for line, want := range map[string]string{
		"":                          nothing,
		"--resume runs":             ": what was done is in runs, and the same command goes on from there",
		"--shard 0/2":               "", // a shard takes no --resume
		"--shard 0/2 --resume runs": "",
	} {
		verb := &cobra.Command{Use: "tune"}
		verb.Flags().String("resume", "", "")
		verb.Flags().String("shard", "", "")
		if err := verb.ParseFlags(strings.Fields(line)); err != nil {
			t.Fatal(err)
		}
		if got := kept(verb); got != want {
			t.Errorf("kept of %q: %q, want %q", line, got, want)
		}
	}
	if got := kept(&cobra.Command{Use: "bound"}); got != "" {
		t.Errorf("kept of a verb without --resume: %q", got)
	}
}
