package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/skynet-ec2/skynet/reports"
	"github.com/skynet-ec2/skynet/sim/tune"
)

// checkEngine returns an error where the engine lacks the folder that it needs,
// or has no use for what it is given.
func (t *tuner) checkEngine() error {
	if t.engine != "local" && t.resume == "" {
		return usageError(fmt.Errorf("--engine %s: missing --resume, the folder for plans and shards", t.engine))
	}
	if t.engine == "local" || t.engine == "slurm" {
		for _, x := range []struct{ name, value string }{{"image", t.image}, {"store", t.store}} {
			if x.value != "" {
				return usageError(fmt.Errorf("--%s %s: --engine %s has no use for it, aws-batch and kubernetes have", x.name, x.value, t.engine))
			}
		}
	}
	return nil
}

// newRunner returns the engine that --engine names.
func (t *tuner) newRunner() (tune.Runner, error) {
	local := &tune.Local{Evaluate: t.bench.evaluate, Parallel: t.parallel}
	if t.engine == "local" {
		return local, nil
	}
	e := &elsewhere{dir: t.resume}
	if t.engine == "slurm" {
		self, err := os.Executable()
		if err != nil {
			return nil, err
		}
		s := &slurm{self: self, parallel: t.parallel, local: local}
		e.shards, e.submit, e.partial = s.shards, s.submit, true
		return e, nil
	}
	c := &cloud{parallel: t.parallel, image: t.image, store: strings.TrimSuffix(t.store, "/"), dir: t.resume}
	for i := range t.bench.inputs.Scenarios {
		c.scenarios = append(c.scenarios, t.bench.inputs.Scenarios[i].Path)
	}
	if err := c.check(t.engine); err != nil {
		return nil, err
	}
	c.manifest = awsBatch
	if t.engine == "kubernetes" {
		c.manifest = kubernetes
	}
	e.shards, e.submit = c.shards, c.submit
	return e, nil
}

// elsewhere runs plans as shards on machines that share nothing with this one but
// files: it writes a plan into a folder named for it, has its shards run, and
// merges what they left there.
type elsewhere struct {
	// dir holds a folder for every plan.
	dir string
	// shards returns in how many parts a plan should run.
	shards func(ctx context.Context, p *tune.Plan) (int, error)
	// submit has the missing shards of the plan in a folder run. It returns when
	// they have, or with an error that says what to do about it.
	submit func(ctx context.Context, folder string, p *tune.Plan, missing []int) error
	// partial says that shards count although others are missing.
	partial bool
}

// Run runs the plan in shards. Shards that are there already, whole, are not run
// again.
func (e *elsewhere) Run(ctx context.Context, p *tune.Plan, done func(task int, m *tune.Metrics) error) error {
	plan := *p
	n, err := e.shards(ctx, &plan)
	if err != nil {
		return err
	}
	plan.Shards = n
	plan.Seal()
	folder := filepath.Join(e.dir, "plan-"+plan.ID[:12])
	if err := os.MkdirAll(folder, 0o777); err != nil {
		return err
	}
	if err := writeIfNew(filepath.Join(folder, "plan.json"), plan.Write); err != nil {
		return err
	}
	there, missing, err := collect(folder, &plan)
	if err != nil {
		return err
	}
	var submitted error
	if len(missing) > 0 {
		submitted = e.submit(ctx, folder, &plan, missing)
		if there, missing, err = collect(folder, &plan); err != nil {
			return err
		}
	}
	// A part that counts makes what is left another plan: somebody who runs shards
	// by hand would not find the old one again.
	if len(missing) > 0 && !e.partial {
		return submitted
	}
	for _, s := range there {
		from, _ := plan.Part(s.Shard)
		for i := range s.Results {
			if err := done(from+i, &s.Results[i]); err != nil {
				return err
			}
		}
	}
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case len(missing) > 0 && submitted != nil:
		return outsideError(fmt.Errorf("%s: %s missing: %w", folder, shardNames(missing, n), submitted))
	case len(missing) > 0:
		return outsideError(fmt.Errorf("%s: %s missing", folder, shardNames(missing, n)))
	}
	return nil
}

// writeIfNew writes a file that is not there.
func writeIfNew(path string, write func(io.Writer) error) error {
	if _, err := os.Stat(path); err == nil {
		return nil
	}
	return reports.WriteFile(path, write)
}

// collect returns the shards of a plan that are in its folder, and which are not.
// One that is broken or foreign is an error that names it.
func collect(folder string, p *tune.Plan) (there []*tune.Shard, missing []int, err error) {
	for i := range p.Shards {
		if from, to := p.Part(i); from == to { // nothing to run
			continue
		}
		s, err := readShard(folder, p, i)
		switch {
		case errors.Is(err, os.ErrNotExist):
			missing = append(missing, i)
		case err != nil:
			return nil, nil, err
		default:
			there = append(there, s)
		}
	}
	return there, missing, nil
}

// shardFile returns where shard i of a plan belongs.
func shardFile(folder string, i int) string {
	return filepath.Join(folder, fmt.Sprintf("shard-%d.json", i))
}

func readShard(folder string, p *tune.Plan, i int) (*tune.Shard, error) {
	name := shardFile(folder, i)
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return tune.ReadShard(f, name, p, i)
}

// shardNames lists shards, at most ten: "shards 0, 3 of 8 are".
func shardNames(list []int, of int) string {
	const most = 10
	text := strings.Trim(strings.ReplaceAll(fmt.Sprint(list[:min(len(list), most)]), " ", ", "), "[]")
	if len(list) > most {
		text += fmt.Sprintf(" and %d more", len(list)-most)
	}
	if len(list) == 1 {
		return fmt.Sprintf("shard %s of %d is", text, of)
	}
	return fmt.Sprintf("shards %s of %d are", text, of)
}
