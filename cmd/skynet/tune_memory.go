package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/skynet-ec2/skynet/reports"
	"github.com/skynet-ec2/skynet/sim/tune"
)

// openMemory returns what --resume knows, and keeps there what is learned: one
// line for every run, on disk before the next is asked for. Without --resume it
// keeps nothing. The caller calls done at the end.
func (t *tuner) openMemory() (m *tune.Memory, done func(), err error) {
	if t.resume == "" {
		return &tune.Memory{}, func() {}, nil
	}
	if err := reports.PrepareFolder(t.resume); err != nil {
		return nil, nil, namedByUser(err)
	}
	name := filepath.Join(t.resume, "results.jsonl")
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o666)
	if err != nil {
		return nil, nil, err
	}
	fail := func(err error) (*tune.Memory, func(), error) {
		f.Close()
		return nil, nil, err
	}
	m, good, err := tune.ReadMemory(f, name, &t.bench.inputs)
	if err != nil {
		return fail(err)
	}
	if err := f.Truncate(good); err != nil { // a line torn by an interruption
		return fail(err)
	}
	if _, err := f.Seek(good, 0); err != nil {
		return fail(err)
	}
	m.Keep = func(line []byte) error {
		if _, err := f.Write(line); err != nil {
			return fmt.Errorf("keep results: %w", err)
		}
		return f.Sync()
	}
	if good == 0 {
		head, err := tune.MemoryHead(&t.bench.inputs)
		if err == nil {
			err = m.Keep(head)
		}
		if err != nil {
			return fail(err)
		}
	}
	if n := m.Len(); n > 0 {
		t.app.log.Info("resumed", "folder", t.resume, "runs_known", n)
	}
	return m, func() { f.Close() }, nil
}
