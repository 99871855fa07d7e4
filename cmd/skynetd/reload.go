package main

import (
	"os"
	"os/signal"
	"syscall"

	"github.com/skynet-ec2/skynet/live/controller"
	"github.com/skynet-ec2/skynet/policy"
	"github.com/skynet-ec2/skynet/policy/journal"
	"github.com/skynet-ec2/skynet/scenarios"
)

// candidates returns what makes a candidate of a policy's file in the world of a
// header.
func candidates(h journal.Header) func(text []byte) (controller.Candidate, error) {
	return func(text []byte) (controller.Candidate, error) {
		p, err := scenarios.ParsePolicy("policy", text, &h.Catalog)
		if err != nil {
			return controller.Candidate{}, err
		}
		return candidateOf(h, p), nil
	}
}

// candidateOf returns a policy as a candidate in the world of a header.
func candidateOf(h journal.Header, p *scenarios.Policy) controller.Candidate {
	if p.Spec == nil {
		h.Policy = journal.ScriptOf(p.Steps, p.Label())
	} else {
		h.Policy = journal.PolicyOf(p.Spec, p.Values, p.Label())
	}
	return controller.Candidate{Policy: func() (policy.Policy, error) { return h.New(scenarios.Policies()) }, Described: h.Policy}
}

// reloading returns what reads the configuration's policy anew when one of the
// files that name it or hold it has changed, or the process was sent SIGHUP. What
// else they say holds from the next start on.
func (v *controllerVerb) reloading(file *scenarios.Fleet, h journal.Header) func() (*controller.Candidate, error) {
	hung := make(chan os.Signal, 1)
	signal.Notify(hung, syscall.SIGHUP)
	label := h.Policy.Label
	look := func(f *scenarios.Fleet) []fileLook {
		names := []string{v.config, f.Scenario}
		if _, active, _ := f.World(); active.Path != "" {
			names = append(names, active.Path)
		}
		var all []fileLook
		for _, name := range names {
			all = append(all, lookAt(name))
		}
		return all
	}
	before := look(file)
	return func() (*controller.Candidate, error) {
		changed := false
		select {
		case <-hung:
			changed = true
		default:
		}
		for i := range before {
			if now := lookAt(before[i].name); now != before[i] {
				before[i], changed = now, true
			}
		}
		if !changed {
			return nil, nil
		}
		f, err := scenarios.LoadFleet(v.config)
		if err != nil {
			return nil, err
		}
		before = look(f)
		_, active, _ := f.World()
		if active.Label() == label {
			return nil, nil
		}
		label = active.Label()
		c := candidateOf(h, active)
		return &c, nil
	}
}

// fileLook tells whether a file is another than before.
type fileLook struct {
	name     string
	bytes    int64
	modified int64 // in nanoseconds since 1970
}

func lookAt(name string) fileLook {
	info, err := os.Stat(name)
	if err != nil {
		return fileLook{name: name}
	}
	return fileLook{name, info.Size(), info.ModTime().UnixNano()}
}
