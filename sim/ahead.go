package sim

import (
	"time"

	"github.com/skynet-ec2/skynet/policy"
	"github.com/skynet-ec2/skynet/traces"
)

// clairvoyant is a policy that is told what will arrive: asked before each tick
// over how long a time and in spans of which length it wants to know. Nothing is
// told of no time, and no span is shorter than a tenth of a second.
type clairvoyant interface {
	Foresight() (ahead, span time.Duration)
}

const leastSpan = 100 * time.Millisecond

// lookahead is a source whose jobs can be seen before they are handed out. It
// holds the jobs of the time that was looked into.
type lookahead struct {
	src     traces.Source
	held    []traces.Batch
	end     error // what ended the source: Next returns it in its turn
	classes []int // by the trace's kind
}

// Next hands out what was seen, and then what follows.
func (l *lookahead) Next(b *traces.Batch) error {
	if len(l.held) == 0 && !l.read() {
		return l.end
	}
	*b = l.held[0]
	l.held = l.held[1:]
	return nil
}

// read takes in one more batch; false at the end.
func (l *lookahead) read() bool {
	if l.end != nil {
		return false
	}
	var b traces.Batch
	if l.end = l.src.Next(&b); l.end != nil {
		return false
	}
	if b.Len() > 0 {
		l.held = append(l.held, b.Clone())
	}
	return true
}

// reach takes in the jobs up to a time.
func (l *lookahead) reach(until int64) {
	for {
		if n := len(l.held); n > 0 && l.held[n-1].Arrival[l.held[n-1].Len()-1] > until {
			return
		}
		if !l.read() {
			return
		}
	}
}

func (l *lookahead) Meta() traces.Meta { return l.src.Meta() }
func (l *lookahead) Close() error      { return l.src.Close() }

// foresee tells a clairvoyant policy what will arrive. What arrives at now has
// arrived.
func (e *engine) foresee() {
	if e.ahead == nil {
		return
	}
	told := e.obs.Ahead[:0]
	if over, span := e.policy.(clairvoyant).Foresight(); over > 0 {
		span = max(span, leastSpan)
		until := e.end
		if int64(over) < until-e.now {
			until = e.now + int64(over)
		}
		e.ahead.reach(until)
		told = e.see(told, &e.batch, e.cursor, until, int64(span))
		for i := range e.ahead.held {
			told = e.see(told, &e.ahead.held[i], 0, until, int64(span))
		}
		last := int64(0) // of the spans, one at least even if nothing arrives any more
		if e.ahead.end == nil || until < e.end {
			last = (until - e.now - 1) / int64(span)
		}
		told = e.spans(told, last, int64(span))
	}
	e.obs.Ahead = told
}

// see adds the jobs of a batch, from one on, that arrive up to a time.
func (e *engine) see(told []policy.Coming, b *traces.Batch, from int, until, span int64) []policy.Coming {
	for n := len(e.ahead.classes); n < len(b.Kinds); n++ {
		k := &b.Kinds[n]
		e.ahead.classes = append(e.ahead.classes, policy.ClassOf(e.cfg.Classes, k.Type, int(k.Priority)))
	}
	for i := from; i < b.Len() && b.Arrival[i] <= until; i++ {
		class, after := e.ahead.classes[b.Kind[i]], b.Arrival[i]-e.now
		if after <= 0 || class < 0 { // the run fails when one of no class arrives
			continue
		}
		n := (after - 1) / span
		told = e.spans(told, n, span)
		f := &told[n].Arrivals[class]
		f.Jobs++
		f.Work += policy.CoreSeconds(seconds(e.refWork(b.Service[i])))
	}
	return told
}

// spans makes told reach to the given span.
func (e *engine) spans(told []policy.Coming, last, span int64) []policy.Coming {
	for int64(len(told)) <= last {
		n := len(told)
		if n < cap(told) {
			told = told[:n+1]
		} else {
			told = append(told, policy.Coming{})
		}
		c := &told[n]
		c.Until = time.Duration(int64(n+1) * span)
		if len(c.Arrivals) != len(e.cfg.Classes) {
			c.Arrivals = make([]policy.Flow, len(e.cfg.Classes))
		}
		clear(c.Arrivals)
	}
	return told
}
