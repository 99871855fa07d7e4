package main

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"github.com/skynet-ec2/skynet/sim/tune"
)

// readPlan reads the plan at path.
func readPlan(path string) (*tune.Plan, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return tune.ReadPlan(f, path)
}

// shardFlags returns an error if a flag is given that means nothing for a shard:
// its plan says what is run.
func shardFlags(flags *pflag.FlagSet) error {
	var problems []error
	for _, name := range []string{"params", "budget", "seed", "json", "report", "plots", "resume", "engine", "image", "store", "even-broken"} {
		if flags.Changed(name) {
			problems = append(problems, fmt.Errorf("--%s: a shard has no use for it: its plan says what is run, and --out where the results go", name))
		}
	}
	return errors.Join(problems...)
}

// runShard runs one part of a plan, on the scenarios that the plan names or on
// those given in their place, which must be the same but for where they stand.
func (t *tuner) runShard(paths []string, out bool) error {
	switch {
	case t.in == "":
		return usageError(errors.New("--shard: missing --in, the plan"))
	case t.shard == "":
		return usageError(errors.New("--in: missing --shard, the part of the plan to run"))
	case !out:
		return usageError(errors.New("--shard: missing --out, where the results go"))
	case t.parallel < 1 || t.parallel > 4096:
		return usageError(fmt.Errorf("--parallel %d: must be from 1 to 4096", t.parallel))
	}
	if err := checkFile(t.out); err != nil {
		return namedByUser(err)
	}
	p, err := readPlan(t.in)
	if err != nil {
		return err
	}
	i, err := shardIndex(t.shard, p)
	if err != nil {
		return err
	}
	if len(paths) == 0 {
		for _, s := range p.Scenarios {
			paths = append(paths, s.Path)
		}
	}
	if t.bench, err = t.app.openBench(paths, t.policy); err != nil {
		return err
	}
	inputs := []string{t.in}
	for _, s := range t.bench.scenarios {
		inputs = append(inputs, s.Files()...)
	}
	if err := spareInputs([]output{{"out", t.out}}, inputs...); err != nil {
		return err
	}
	// Candidates bring their parameters along: which policy the scenario runs
	// does not matter.
	t.bench.inputs.Policy, t.bench.policy.Name = p.Policy, p.Policy
	if why := t.bench.inputs.Differ(&p.Inputs); why != "" {
		return inputError(fmt.Errorf("%s: %s", t.in, why))
	}
	from, to := p.Part(i)
	progress := t.app.newProgress("tune (runs)", int64(to-from))
	defer progress.End()
	local := &tune.Local{Evaluate: t.bench.evaluate, Parallel: t.parallel}
	s, err := local.RunShard(t.app.ctx, p, i, func() { progress.Add(1) })
	if err != nil {
		return err
	}
	return into(t.out, s.Write)
}

// shardIndex returns the i of "i/n", where n must be the plan's.
func shardIndex(text string, p *tune.Plan) (int, error) {
	a, b, _ := strings.Cut(text, "/")
	i, errI := strconv.Atoi(a)
	n, errN := strconv.Atoi(b)
	switch {
	case errI != nil || errN != nil:
		return 0, usageError(fmt.Errorf("--shard %q: must be i/n, such as 0/%d", text, p.Shards))
	case n != p.Shards:
		return 0, inputError(fmt.Errorf("--shard %s: the plan has %d shards, not %d", text, p.Shards, n))
	case i < 0 || i >= n:
		return 0, usageError(fmt.Errorf("--shard %s: must be from 0/%d to %d/%d", text, n, n-1, n))
	}
	return i, nil
}
