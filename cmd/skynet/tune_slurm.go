package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/skynet-ec2/skynet/policy/spell"
	"github.com/skynet-ec2/skynet/reports"
	"github.com/skynet-ec2/skynet/sim/tune"
)

// slurm runs shards as a job array. The nodes see the same files as this machine.
type slurm struct {
	self     string // this program
	parallel int    // tasks of an array at once
	local    *tune.Local
	perRun   float64 // seconds, once measured
}

// shardSeconds is how long a shard should take at least: a scheduler spends a
// quarter of a second on each.
const shardSeconds = 30

// seconds measures how long one run of a plan takes.
func (s *slurm) seconds(ctx context.Context, p *tune.Plan) (float64, error) {
	if s.perRun == 0 {
		t := p.Tasks[0]
		if _, err := s.local.Evaluate(ctx, p.Candidates[t.Candidate], &p.Folds[t.Fold]); err != nil { // opens the trace
			return 0, err
		}
		began := time.Now()
		if _, err := s.local.Evaluate(ctx, p.Candidates[t.Candidate], &p.Folds[t.Fold]); err != nil {
			return 0, err
		}
		s.perRun = max(time.Since(began).Seconds(), 1e-6)
	}
	return s.perRun, nil
}

// shards returns how many shards of half a minute and more a plan gives.
func (s *slurm) shards(ctx context.Context, p *tune.Plan) (int, error) {
	perRun, err := s.seconds(ctx, p)
	if err != nil {
		return 0, err
	}
	return min(max(int(perRun*float64(len(p.Tasks))/shardSeconds), 1), len(p.Tasks), tune.ShardsMax), nil
}

// submit runs the missing shards as one array and waits for it. When ctx ends it
// cancels the array.
func (s *slurm) submit(ctx context.Context, folder string, p *tune.Plan, missing []int) error {
	here, err := os.Getwd()
	if err != nil {
		return err
	}
	script := filepath.Join(folder, "shard.sh")
	err = reports.WriteFile(script, func(w io.Writer) error {
		_, err := fmt.Fprintf(w, `#!/bin/sh
# One shard of the plan beside this file, as a task of a Slurm array.
exec %s tune --shard "$SLURM_ARRAY_TASK_ID/%d" --in %s --out %s/"shard-$SLURM_ARRAY_TASK_ID.json" --parallel 1 --quiet
`, spell.Shell(s.self), p.Shards, spell.Shell(filepath.Join(folder, "plan.json")), spell.Shell(folder))
		return err
	})
	if err != nil {
		return err
	}
	indices := strings.Trim(strings.ReplaceAll(fmt.Sprint(missing), " ", ","), "[]")
	c := exec.Command("sbatch",
		"--parsable", "--wait", "--job-name=skynet-tune", "--chdir="+here,
		"--output="+filepath.Join(folder, "slurm-%a.log"),
		fmt.Sprintf("--array=%s%%%d", indices, s.parallel), script)
	var stdout, stderr bytes.Buffer
	c.Stdout, c.Stderr = &stdout, &stderr
	ownGroup(c) // Ctrl-C is for this process: the array is canceled in order
	if err := c.Start(); err != nil {
		return outsideError(fmt.Errorf("sbatch: %w", err))
	}
	ended := make(chan error, 1)
	go func() { ended <- c.Wait() }()
	select {
	case err = <-ended:
	case <-ctx.Done():
		_ = c.Process.Signal(os.Interrupt)
		<-ended
		if job, _, _ := strings.Cut(strings.TrimSpace(stdout.String()), ";"); job != "" {
			_ = exec.Command("scancel", job).Run()
		}
		return ctx.Err()
	}
	var failed *exec.ExitError
	if errors.As(err, &failed) {
		return outsideError(fmt.Errorf("sbatch: exit code %d: %s(the tasks' logs are in %s)", failed.ExitCode(), withSpace(stderr.String()), folder))
	}
	return err
}

func withSpace(text string) string {
	if text = strings.TrimSpace(text); text != "" {
		text += " "
	}
	return text
}
