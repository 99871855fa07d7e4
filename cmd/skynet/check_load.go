package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/skynet-ec2/skynet/policy/spell"
	"github.com/skynet-ec2/skynet/reports"
	"github.com/skynet-ec2/skynet/scenarios"
	"github.com/skynet-ec2/skynet/scenarios/gate"
)

// part returns which part of the scenarios is to be checked: every n-th from
// the i-th on.
func (c *checking) part() (i, n int, err error) {
	if c.shard == "" {
		return 0, 1, nil
	}
	a, b, _ := strings.Cut(c.shard, "/")
	i, errI := strconv.Atoi(a)
	n, errN := strconv.Atoi(b)
	if errI != nil || errN != nil || i < 0 || i >= n {
		return 0, 0, fmt.Errorf("--shard %q: must be i/n, from 0/n to n-1/n, such as 0/4", c.shard)
	}
	return i, n, nil
}

// load reads the scenarios that are to be checked. Everything wrong with any of
// them is said at once.
func (c *checking) load() error {
	files, err := c.files()
	if err != nil {
		return err
	}
	var names []string
	var chosen []string
	for _, file := range files {
		names = append(names, stemOf(file))
		if c.only == "" {
			chosen = append(chosen, file)
		} else if ok, _ := path.Match(c.only, stemOf(file)); ok {
			chosen = append(chosen, file)
		}
	}
	if len(chosen) == 0 {
		return inputError(fmt.Errorf("--only %s: matches none of %s%s", c.only, strings.Join(names, ", "), spell.DidYouMean(c.only, names)))
	}
	var all []error
	i, n, _ := c.part()
	for k, file := range chosen {
		if k%n != i {
			continue
		}
		s, err := scenarios.LoadWith(c.app.ctx, file, scenarios.Replace{Policy: c.policy})
		if err != nil {
			all = append(all, err)
			continue
		}
		c.cases = append(c.cases, &checkCase{scenario: s})
	}
	return c.app.listAll(all)
}

// files returns the scenario files that the arguments name: of a folder every
// TOML file but policies.
func (c *checking) files() ([]string, error) {
	args := c.args
	if len(args) == 0 {
		args = []string{"scenarios"}
	}
	var files []string
	for _, arg := range args {
		info, err := os.Stat(arg)
		switch {
		case err != nil && len(c.args) == 0 && errors.Is(err, fs.ErrNotExist):
			return nil, inputError(errors.New("there is no folder scenarios here: name the folder or the files, or begin with: mkdir scenarios && skynet scenario new scenarios/NAME.toml"))
		case err != nil:
			return nil, err
		case !info.IsDir():
			files = append(files, arg)
			continue
		}
		inside, err := filepath.Glob(filepath.Join(arg, "*.toml"))
		if err != nil {
			return nil, err
		}
		found := false
		for _, file := range inside {
			kind, err := scenarios.KindOf(c.app.ctx, file)
			if err == nil && kind == scenarios.PolicyFile {
				continue
			}
			found = true
			files = append(files, file) // what is wrong with it is said when it is loaded
		}
		if !found {
			return nil, inputError(fmt.Errorf("folder %s: holds no scenario", arg))
		}
	}
	return files, nil
}

func (c *checking) scenarios() []*scenarios.Scenario {
	var list []*scenarios.Scenario
	for _, k := range c.cases {
		list = append(list, k.scenario)
	}
	return list
}

// prepare settles which seeds each scenario runs and what it is compared with.
// Everything that is wrong is said at once, before anything runs.
func (c *checking) prepare() error {
	var all []error
	for _, k := range c.cases {
		if k.skipped != "" {
			continue
		}
		_, err := k.scenario.Lint(c.app.ctx)
		switch {
		case c.app.ctx.Err() != nil:
			return c.app.ctx.Err()
		case err != nil:
			all = append(all, err)
			continue
		}
		if err := c.choose(k); err != nil {
			all = append(all, err)
		}
	}
	if err := c.app.listAll(all); err != nil || !c.update {
		return err
	}
	for _, k := range c.cases {
		if err := reports.PrepareFolder(filepath.Dir(gate.Path(k.scenario.Path))); err != nil {
			return namedByUser(err)
		}
	}
	return nil
}

// choose settles the seeds of one scenario.
func (c *checking) choose(k *checkCase) error {
	n := c.runs
	if n == 0 {
		n = checkRunsDefault
	}
	k.seeds = gate.Seeds(k.scenario, n)
	if c.against != "" {
		return nil
	}
	b, err := gate.Load(k.scenario)
	if err == nil {
		var why string
		if why, err = b.Stale(k.scenario); err == nil && why != "" {
			err = &gate.FileError{Path: gate.Path(k.scenario.Path), Reason: why}
		}
	}
	k.former = b // nil where it cannot be read
	var missing *gate.MissingError
	var unfit *gate.FileError
	switch {
	case b != nil && errors.As(err, &unfit) && !c.update:
		k.doubt = err // the runs will tell
	case err != nil && c.update && errors.As(err, &missing):
		return nil
	case err != nil && c.update && errors.As(err, &unfit):
		c.app.log.Warn("a baseline cannot be compared with, and is written anew", "file", unfit.Path, "why", unfit.Reason)
		k.notes = append(k.notes, "its former baseline could not be compared with")
		return nil
	case err != nil:
		return err
	}
	k.baseline = b
	switch {
	case c.runs == 0:
		k.seeds = b.Seeds
	case c.update:
	case c.runs > len(b.Seeds):
		return inputError(fmt.Errorf("--runs %d: %s has %d seeds: run fewer, or --update it with more", c.runs, gate.Path(k.scenario.Path), len(b.Seeds)))
	default:
		k.seeds = b.Seeds[:c.runs]
	}
	return nil
}
