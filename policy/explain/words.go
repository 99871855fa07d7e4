package explain

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/skynet-ec2/skynet/policy"
	"github.com/skynet-ec2/skynet/policy/journal"
)

// groupSpace parts groups of digits: a narrow space that keeps them together.
const groupSpace = "\u202f"

// Count returns n with its digits in groups of three: 3 087 412.
func Count[N int | int64](n N) string { return Grouped(strconv.FormatInt(int64(n), 10)) }

// Grouped parts the digits before the point of a number into groups of three, from
// four digits on.
func Grouped(number string) string {
	whole, fraction, hasFraction := strings.Cut(number, ".")
	sign := ""
	if strings.HasPrefix(whole, "-") {
		sign, whole = "−", whole[1:]
	}
	var b strings.Builder
	b.WriteString(sign)
	for i, digit := range whole {
		if i > 0 && (len(whole)-i)%3 == 0 {
			b.WriteString(groupSpace)
		}
		b.WriteRune(digit)
	}
	if hasFraction {
		b.WriteString("." + fraction)
	}
	return b.String()
}

// Action says in words what a decision does: SLEEP, or what it launches, drains and
// takes back.
func Action(d *journal.Decision, c *policy.Catalog) string {
	name := func(typ int) string {
		if typ >= 0 && typ < len(c.Types) {
			return c.Types[typ].Name
		}
		return fmt.Sprintf("type %d", typ)
	}
	var parts []string
	for i := range d.Launches {
		l := &d.Launches[i]
		text := fmt.Sprintf("LAUNCH %s %s", Count(l.Count), name(l.Type))
		if l.Market == policy.Spot {
			text += " spot"
		}
		if l.Type >= 0 && l.Type < len(c.Types) {
			text += fmt.Sprintf(" (%s cores)", Count(l.Count*c.Types[l.Type].Cores))
		}
		for j := range l.Else {
			lead := ", or "
			if j == 0 {
				lead = ", if refused "
			}
			text += lead + name(l.Else[j].Type)
		}
		parts = append(parts, text)
	}
	if n := len(d.Undrains); n > 0 {
		parts = append(parts, fmt.Sprintf("TAKE BACK %s (%s)", Count(n), instances(d.Undrains)))
	}
	if n := len(d.Drains); n > 0 {
		parts = append(parts, fmt.Sprintf("DRAIN %s (%s)", Count(n), instances(d.Drains)))
	}
	if parts == nil {
		return "SLEEP"
	}
	return strings.Join(parts, "; ")
}

// instances lists the numbers of a few instances.
func instances(ids []policy.InstanceID) string {
	const most = 5
	var list []string
	for i, id := range ids {
		if i == most {
			list = append(list, "…")
			break
		}
		list = append(list, fmt.Sprint(int64(id)))
	}
	return "instance " + strings.Join(list, ", ")
}

// Became says in words what became of a decision.
func Became(out *journal.Outcome) string {
	if out.Held != "" {
		return "not applied: " + out.Held
	}
	var parts []string
	for _, p := range []struct {
		n    int
		what string
	}{{out.Launched, "launched"}, {out.Refused, "refused"}, {out.Drained, "drained"}, {out.Undrained, "taken back"}} {
		if p.n > 0 {
			parts = append(parts, fmt.Sprintf("%s %s", Count(p.n), p.what))
		}
	}
	if out.Short > 0 {
		parts = append(parts, fmt.Sprintf("for %s nothing stood in", Count(out.Short)))
	}
	parts = append(parts, out.Errors...)
	if parts == nil {
		return "nothing was done"
	}
	return strings.Join(parts, ", ")
}
