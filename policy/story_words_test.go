package policy_test

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"github.com/skynet-ec2/skynet/policy"
)

// arguments reads the arguments of a command.
type arguments struct {
	t *testing.T
	d *datadriven.TestData
}

func (a arguments) find(key string) (datadriven.CmdArg, bool) { return a.d.Arg(key) }

func (a arguments) has(key string) bool { return a.d.HasArg(key) }

func (a arguments) string(key, otherwise string) string {
	if arg, ok := a.find(key); ok && len(arg.Vals) == 1 {
		return arg.Vals[0]
	}
	return otherwise
}

func (a arguments) int(key string, otherwise int) int {
	s := a.string(key, "")
	if s == "" {
		return otherwise
	}
	return mustInt(a.t, s)
}

func (a arguments) float(key string, otherwise float64) float64 {
	s := a.string(key, "")
	if s == "" {
		return otherwise
	}
	x, err := strconv.ParseFloat(s, 64)
	if err != nil {
		a.t.Fatal(err)
	}
	return x
}

func (a arguments) duration(key string, otherwise time.Duration) time.Duration {
	s := a.string(key, "")
	if s == "" {
		return otherwise
	}
	return mustDuration(a.t, s)
}

func (a arguments) usd(key string) policy.MicroUSD {
	m, err := policy.FromDollars(a.float(key, 0))
	if err != nil {
		a.t.Fatal(err)
	}
	return m
}

func mustInt(t *testing.T, s string) int {
	if s == "unlimited" {
		return policy.Unlimited
	}
	n, err := strconv.Atoi(s)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func mustDuration(t *testing.T, s string) time.Duration {
	d, err := time.ParseDuration(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// parseValue reads a parameter as its file would give it.
func parseValue(p *policy.Param, s string) any {
	if p == nil {
		return s
	}
	switch p.Kind {
	case policy.Number, policy.Integer:
		if x, err := strconv.ParseFloat(s, 64); err == nil {
			return x
		}
	case policy.TypeList:
		return []string{s}
	}
	return s
}

// parseSteps reads lines such as "at=90s launch=2 type=m1.small keep=1h".
func parseSteps(t *testing.T, input string) []policy.Step {
	var steps []policy.Step
	for _, line := range strings.Split(strings.TrimSpace(input), "\n") {
		var s policy.Step
		for _, field := range strings.Fields(line) {
			key, value, _ := strings.Cut(field, "=")
			switch key {
			case "at":
				s.At = mustDuration(t, value)
			case "launch":
				s.Launch = mustInt(t, value)
			case "type":
				s.Type = value
			case "keep":
				s.Keep = mustDuration(t, value)
			}
		}
		steps = append(steps, s)
	}
	return steps
}

// parseDecision reads lines such as
//
//	launch 280 c1.xlarge else 5/2 m1.large else 4/1 m1.small
//	drain 1 2 3
func parseDecision(t *testing.T, c *policy.Catalog, input string) policy.Decision {
	var d policy.Decision
	for _, line := range strings.Split(strings.TrimSpace(input), "\n") {
		words := strings.Fields(line)
		switch words[0] {
		case "launch":
			l := policy.Launch{Count: mustInt(t, words[1]), Type: c.Index(words[2])}
			for rest := words[3:]; len(rest) >= 3; rest = rest[3:] {
				num, den, _ := strings.Cut(rest[1], "/")
				l.Else = append(l.Else, policy.Substitute{Num: mustInt(t, num), Den: mustInt(t, den), Type: c.Index(rest[2])})
			}
			d.Launches = append(d.Launches, l)
		case "drain", "undrain":
			list := &d.Drains
			if words[0] == "undrain" {
				list = &d.Undrains
			}
			for _, id := range words[1:] {
				*list = append(*list, policy.InstanceID(mustInt(t, id)))
			}
		default:
			t.Fatalf("unknown line %q", line)
		}
	}
	return d
}
