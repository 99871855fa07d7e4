//go:build unix

// Package supervisor keeps a worker running on an instance, in the release that
// its channel says: it fetches a new one while the old one works, waits until
// the old one has finished its jobs and ended, starts the new one on trial, and
// goes back to the old one if the new one fails.
//
// The supervisor and the worker it starts talk over two pipes, a word a line
// (see Link). A release that has proved itself here is tried never again; one
// that failed is not tried again either, and the queue is told.
package supervisor

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"slices"
	"time"

	"github.com/skynet-ec2/skynet/live/bundle"
)

// A Supervisor runs releases. Its fields do not change once Run is called.
type Supervisor struct {
	Place    bundle.Place
	Channel  string
	Instance string        // whose lot decides on candidates
	Look     time.Duration // between looks at the channel
	Log      *slog.Logger

	Args   []string // added to the words that a release says to run
	Env    []string // added to the environment
	Output io.Writer

	// TrialMax is how long a new release may take to prove itself, not counting
	// the time in which it finds no queue, and AwayMax how long counting it.
	TrialMax, AwayMax time.Duration
	// StopMax is how long a worker may take to end when it has to be quick: then
	// it is killed.
	StopMax time.Duration
	// AgainMin and AgainMax bound the pause before a worker that ended by itself
	// is started again; it doubles from the one to the other.
	AgainMin, AgainMax time.Duration

	record bundle.Record
	spent  bundle.Spent
	seen   bundle.Channel
}

// The defaults of a Supervisor's times.
const (
	LookDefault     = 5 * time.Second
	TrialMaxDefault = 5 * time.Minute
	AwayMaxDefault  = time.Hour
	StopMaxDefault  = 110 * time.Second
	AgainMinDefault = time.Second
	AgainMaxDefault = 30 * time.Second
)

// triesMax is how often a release that does not fail outright, but does not
// prove itself either, is tried.
const triesMax = 3

// Run keeps a worker running until ctx ends, and then waits for it, or until
// the worker ends because the queue told it to.
func (s *Supervisor) Run(ctx context.Context) error {
	var err error
	if s.record, err = s.Place.Load(); err != nil {
		return err
	}
	if s.record.Trial != 0 { // the instance, or the supervisor, went down during a trial
		s.failed(s.record.Trial, "the supervisor ended during its trial", false)
	}
	again := s.AgainMin
	for ctx.Err() == nil {
		number := s.choose(ctx)
		if number == 0 {
			if !pause(ctx, s.Look) {
				return nil
			}
			continue
		}
		began := time.Now()
		end, err := s.runRelease(ctx, number)
		switch {
		case err != nil:
			return err
		case ctx.Err() != nil:
			return nil
		case end == told:
			s.Log.Info("the worker ended as the queue told it to")
			return nil
		case end == replaced:
			again = s.AgainMin
			continue
		}
		if time.Since(began) > s.AgainMax {
			again = s.AgainMin // it ran for a while: this is another failure
		}
		if !pause(ctx, again) {
			return nil
		}
		again = min(2*again, s.AgainMax)
	}
	return nil
}

// pause waits, and reports whether ctx has not ended.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// choose returns the release to run now, installed, or 0 where there is none.
func (s *Supervisor) choose(ctx context.Context) int64 {
	if number := s.look(ctx); number != 0 {
		return number
	}
	if number := s.seen.Wants(s.Instance, s.record.Bad); number != 0 {
		if _, there := s.record.Find(number); there {
			return number // as the channel said when it could be read
		}
	}
	if _, there := s.record.Find(s.record.Current); there {
		return s.record.Current // whatever the store says, the instance works
	}
	return 0
}

// look reads the channel and returns the release that it wants here, fetched
// and unpacked, or 0 where nothing can be said.
func (s *Supervisor) look(ctx context.Context) int64 {
	bounded, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	number, err := s.wanted(bounded)
	if err != nil {
		if ctx.Err() == nil {
			s.Log.Warn("no news of releases", "channel", s.Channel, "error", err)
		}
		return 0
	}
	return number
}

func (s *Supervisor) wanted(ctx context.Context) (int64, error) {
	document, err := bundle.ReadDocument(ctx, s.Place.Store, bundle.ChannelName(s.Channel))
	if err != nil {
		return 0, err
	}
	c, err := bundle.OpenChannel(document, s.Place.Keys, s.Channel, s.record.Sequence, time.Now())
	if err != nil {
		return 0, err
	}
	s.seen = c
	if c.Sequence > s.record.Sequence {
		s.record.Sequence = c.Sequence
		if err := s.Place.Save(s.record); err != nil {
			return 0, err
		}
	}
	number := c.Wants(s.Instance, s.record.Bad)
	if number == 0 || number == s.record.Current {
		_, there := s.record.Find(number)
		if number == 0 || there {
			return number, nil
		}
	}
	spent, err := s.Place.Install(ctx, &s.record, number, time.Now())
	if err != nil {
		return 0, err
	}
	if spent.Fetch > 0 {
		s.spent = spent
		s.Log.Info("release fetched", "release", number, "fetch", spent.Fetch.Round(time.Millisecond), "unpack", spent.Unpack.Round(time.Millisecond))
	}
	return number, nil
}

// An end is why a worker is not running any more.
type end int

const (
	crashed  end = iota // by itself, or it was killed
	told                // the queue told it to, or it had nothing to live for
	replaced            // another release is to run
)

// runRelease starts a release and stays with it until it has ended.
func (s *Supervisor) runRelease(ctx context.Context, number int64) (end, error) {
	installed, _ := s.record.Find(number)
	trial := number != s.record.Current
	if trial {
		s.record.Trial = number
		if s.record.Tries == nil {
			s.record.Tries = map[int64]int{}
		}
		s.record.Tries[number]++
	}
	if err := s.Place.Save(s.record); err != nil {
		return crashed, err
	}
	if err := s.Place.Point(number); err != nil {
		return crashed, err
	}
	child, err := start(s, installed)
	if err != nil {
		s.Log.Error("cannot start", "release", number, "error", err)
		if trial {
			s.failed(number, err.Error(), true)
		}
		return crashed, nil
	}
	log := s.Log.With("release", number, "version", installed.Version, "pid", child.pid())
	log.Info("worker started", "trial", trial)
	return s.stay(ctx, child, number, trial, log)
}

// proved makes a release on trial the current one.
func (s *Supervisor) proved(number int64, log *slog.Logger) {
	if s.record.Current != number {
		s.record.Previous, s.record.Current = s.record.Current, number
	}
	s.record.Trial = 0
	delete(s.record.Tries, number)
	if err := errors.Join(s.Place.Save(s.record), s.Place.Tidy(&s.record)); err != nil {
		log.Error("cannot note that the release proved itself", "error", err)
		return
	}
	log.Info("the release proved itself")
}

// failed notes that a release on trial failed: for good, or to be tried again a
// few times where it may not have been its fault.
func (s *Supervisor) failed(number int64, why string, forGood bool) {
	s.record.Trial = 0
	if forGood || s.record.Tries[number] >= triesMax {
		s.record.MarkBad(number)
		s.Log.Error("release rolled back", "release", number, "to", s.record.Current, "why", why)
	}
	if err := s.Place.Save(s.record); err != nil {
		s.Log.Error("cannot note that the release failed", "release", number, "error", err)
	}
}

// bad returns the releases that failed here.
func (s *Supervisor) bad() []int64 { return slices.Clone(s.record.Bad) }
