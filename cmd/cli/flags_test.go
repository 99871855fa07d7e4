package cli

import "testing"

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
