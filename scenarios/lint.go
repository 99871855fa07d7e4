package scenarios

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/skynet-ec2/skynet/policy"
	"github.com/skynet-ec2/skynet/traces"
)

// NotModelled names what the live queue can do and the simulator does not
// model.
var NotModelled = []string{
	"tenants and their fair shares", "deadlines of jobs", "rate limits", "limits on concurrency", "ageing of priorities",
}

// Lint checks what Load leaves out because it takes longer: it opens the
// recorded trace of a scenario, reads all of it, and compares its jobs with the
// classes. It returns notes, each a sentence, on what a simulation will not
// show. Problems of the trace are errors, as those of Load are. It ends early,
// with the error of ctx, when that is done.
func (s *Scenario) Lint(ctx context.Context) (notes []string, err error) {
	if s.Trace == nil {
		return nil, nil
	}
	w := &World{scenario: s}
	src, err := w.Source(s.Seed)
	if err != nil {
		return nil, err
	}
	defer src.Close()
	classes := s.classes()
	reached := make([]bool, len(classes))
	d := newDocument(s.Path)
	d.lines = s.lines
	var b traces.Batch
	var tenants, deadlines bool
	kinds := 0
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		err := src.Next(&b)
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
		tenants = tenants || b.Tenant != nil
		deadlines = deadlines || b.Deadline != nil
		for ; kinds < len(b.Kinds); kinds++ {
			k := b.Kinds[kinds]
			if i := policy.ClassOf(classes, k.Type, int(k.Priority)); i >= 0 {
				reached[i] = true
			} else {
				d.wrong("class", fmt.Sprintf("jobs of type %q, priority %d match no class: add one without type and priority, which catches the rest", k.Type, k.Priority))
			}
		}
	}
	if tenants {
		notes = append(notes, "its trace names tenants: the simulator treats all jobs of a priority alike")
	}
	if deadlines {
		notes = append(notes, "its trace has deadlines: the simulator judges jobs by their class's target alone")
	}
	for i := range classes {
		if !reached[i] {
			notes = append(notes, fmt.Sprintf("no job of its trace is of class %q (%s)", classes[i].Name, matching(&classes[i])))
		}
	}
	return notes, d.problems.sorted()
}

// matching tells which jobs a class is for.
func matching(c *policy.Class) string {
	var parts []string
	if len(c.Types) > 0 {
		parts = append(parts, "type "+strings.Join(c.Types, ", "))
	}
	if c.Priority >= 0 {
		parts = append(parts, fmt.Sprintf("priority %d", c.Priority))
	}
	if len(parts) == 0 {
		return "the rest"
	}
	return strings.Join(parts, ", ")
}
