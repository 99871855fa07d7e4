package server_test

import (
	"bytes"
	"errors"
	"io"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/skynet-ec2/skynet/live/controller"
	"github.com/skynet-ec2/skynet/policy/journal"
)

type kept struct{ bytes.Buffer }

func (*kept) Close() error { return nil }

func (k *kept) source(name string) journal.Source {
	text := k.String()
	return journal.Source{Name: name, Open: func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(text)), nil }}
}

// A day of decisions is there as it happened, and again, out of the journal, for the
// process that follows.
func TestDay(t *testing.T) {
	var file kept
	s := newSite(t, func(c *controller.Config) { c.Journal = func() (io.WriteCloser, error) { return &file, nil } })
	const step, ticks = 10, 30 * 6 // minutes; more than a day
	for range ticks {
		s.tick()
		s.now = s.now.Add(step * time.Minute)
	}
	day := s.server.Day()
	const most = 24*60/step + 1
	if len(day) != most || day[len(day)-1].Number != ticks-1 {
		t.Fatalf("%d moments, the last #%d: want %d, #%d", len(day), day[len(day)-1].Number, most, ticks-1)
	}
	last := &day[len(day)-1]
	if last.Waiting != 7 || last.Epoch != 1 || last.Policy != "wants@1" || len(last.WhyNot) == 0 || !last.QueueWhole {
		t.Errorf("the last is %+v", last)
	}
	if err := s.k.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	next := newSite(t, nil)
	next.now = s.now
	broken := journal.Source{Name: "broken", Open: func() (io.ReadCloser, error) { return nil, errors.New("gone") }}
	if err := next.server.Remember(file.source("day"), broken); err == nil || !strings.Contains(err.Error(), "gone") {
		t.Errorf("a file that cannot be read: %v", err)
	}
	again := next.server.Day()
	if len(again) != most-1 { // some time has passed since
		t.Fatalf("%d moments out of the journal, want %d", len(again), most-1)
	}
	for i := 1; i < len(again); i++ { // the first knows of none before it
		a, b := &again[i], &day[i+1]
		if a.Number != b.Number || a.Action != b.Action || strings.Join(a.Because, "\n") != strings.Join(b.Because, "\n") || a.Became != b.Became ||
			a.Waiting != b.Waiting || a.Ready != b.Ready || a.Removed != b.Removed || a.SpentDay != b.SpentDay || len(a.Refusals) != len(b.Refusals) {
			t.Fatalf("it was %+v\nand is %+v", b, a)
		}
		if a.Came != b.Came && !(math.IsNaN(a.Came) && math.IsNaN(b.Came)) {
			t.Fatalf("#%d: %v cores came, and %v by the journal", a.Number, b.Came, a.Came)
		}
	}
	// what is remembered late stands before what has been decided meanwhile
	s.server.Remember(file.source("day"))
	if twice := s.server.Day(); len(twice) != most {
		t.Errorf("%d moments after remembering what was there: want %d", len(twice), most)
	}
}

// What a page shows can be kept while the controller goes on.
func TestShown(t *testing.T) {
	s := newSite(t, nil)
	if v := s.server.Shown(); v.Decided || v.Seen != nil || v.Fleet != "render" {
		t.Errorf("before the first decision %+v", v)
	}
	s.tick()
	s.now = s.now.Add(time.Minute)
	s.works = true
	s.tick()
	v := s.server.Shown()
	if !v.Decided || len(v.Instances) != 2 || v.Instances[0].Name == "" || v.Instances[0].Kind != "m1.small" || v.Cores != 2 {
		t.Errorf("%+v", v.Instances)
	}
	if len(v.Classes) != 1 || v.Classes[0].Pending.Jobs != 7 || v.Classes[0].Name != "upload" {
		t.Errorf("%+v", v.Classes)
	}
	before := v.Instances[0].LastSeen
	s.now = s.now.Add(time.Minute)
	s.tick()
	if v.Instances[0].LastSeen != before {
		t.Error("what was shown has changed")
	}
}
