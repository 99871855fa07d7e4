package queue

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/skynet-ec2/skynet/live/api"
	"github.com/skynet-ec2/skynet/policy/dispatch"
)

// parkedCall is a Work call that waits for jobs.
type parkedCall struct {
	worker   *worker
	ctx      context.Context
	reqID    string
	want     int
	types    []string
	response api.WorkResponse
	ticket   *batch // to be written before the answer
	answered bool
	woken    chan struct{} // closed once it is answered, and the answer written
	line     *callLine     // it stands in, nil outside
	since    int64         // since when the slot is idle that its next job is for
	came     uint64        // its number
}

// parkedCalls are all calls that wait. Those that want the same types stand in
// one line, so that a look at one of them tells of all.
type parkedCalls struct {
	lines []*callLine
	by    map[string]*callLine
	came  uint64
}

// callLine is calls that want the same types, that of the slot first which is idle
// for longest, as in the simulator; of equal ones that of the first instance by name.
type callLine struct {
	types []string
	calls []*parkedCall
	left  int // calls that have left from among the others
}

func (p *parkedCalls) park(c *parkedCall) {
	name := strings.Join(c.types, "\x00")
	l := p.by[name]
	if l == nil {
		if p.by == nil {
			p.by = map[string]*callLine{}
		}
		l = &callLine{types: c.types}
		p.by[name] = l
		p.lines = append(p.lines, l)
	}
	p.came++
	c.came = p.came
	l.enter(c)
	c.worker.parked = append(c.worker.parked, c)
}

// order compares the places of two calls.
func (c *parkedCall) order(d *parkedCall) int {
	return cmp.Or(cmp.Compare(c.since, d.since), cmp.Compare(c.worker.InstanceID, d.worker.InstanceID), cmp.Compare(c.came, d.came))
}

// enter puts a call that stands in no line into its place in l.
func (l *callLine) enter(c *parkedCall) {
	c.line, c.since = l, c.worker.idleSince()
	at, _ := slices.BinarySearchFunc(l.calls, c, (*parkedCall).order)
	l.calls = slices.Insert(l.calls, at, c)
}

// unpark takes a call away altogether.
func (p *parkedCalls) unpark(c *parkedCall) {
	p.leaveLine(c)
	c.worker.parked = slices.DeleteFunc(c.worker.parked, func(o *parkedCall) bool { return o == c })
}

// leaveLine takes a call out of its line, if it is in one: it gets no job, but
// what else there may be to say to its worker.
func (p *parkedCalls) leaveLine(c *parkedCall) {
	if c.line == nil {
		return
	}
	l := c.line
	c.line = nil
	if l.calls[0] == c {
		l.calls[0] = nil
		l.calls = l.calls[1:]
	} else {
		l.left++
		if 2*l.left > len(l.calls) {
			l.calls = slices.DeleteFunc(l.calls, func(c *parkedCall) bool { return c.line == nil })
			l.left = 0
		}
	}
}

// first returns the first call of a line that is still there.
func (l *callLine) first() *parkedCall {
	for len(l.calls) > 0 && l.calls[0].line == nil {
		l.calls[0] = nil
		l.calls = l.calls[1:]
		l.left--
	}
	if len(l.calls) == 0 {
		return nil
	}
	return l.calls[0]
}

// dismiss wakes everybody; the engine has ended.
func (p *parkedCalls) dismiss() {
	for _, l := range p.lines {
		for c := l.first(); c != nil; c = l.first() {
			p.unpark(c)
			close(c.woken)
		}
	}
	p.lines, p.by = nil, nil
}

// serve hands jobs to calls that wait, each to the slot that is idle for longest.
func (e *Engine) serve() {
	if len(e.parked.lines) == 0 {
		return
	}
	now := e.clock.now()
	var handed []*parkedCall // that have jobs, and stand in a line if they want more
	for e.q.Len(dispatch.Waiting) > 0 {
		var next *parkedCall
		for _, l := range e.parked.lines {
			c := l.first()
			for c != nil && c.ctx.Err() != nil { // nobody would get the answer
				e.parked.unpark(c)
				c = l.first()
			}
			if c != nil && (next == nil || c.order(next) < 0) && e.q.Ready(l.types, now) {
				next = c
			}
		}
		e.arrive(now)
		if next == nil {
			break
		}
		l, had := next.line, len(next.response.Jobs)
		e.offer(next, 1, now)
		e.parked.leaveLine(next)
		switch has := len(next.response.Jobs); {
		case has == had: // it is told to keep still: it need not be asked again
			continue
		case had == 0:
			handed = append(handed, next)
			fallthrough
		default:
			if has < next.want {
				l.enter(next) // with another slot
			}
		}
	}
	for _, c := range handed {
		c.answer(e)
	}
	if len(e.parked.lines) > 64 { // workers that wanted other types have come and gone
		e.parked.tidy()
	}
}

func (p *parkedCalls) tidy() {
	p.lines = slices.DeleteFunc(p.lines, func(l *callLine) bool { return l.first() == nil })
	clear(p.by)
	for _, l := range p.lines {
		p.by[strings.Join(l.types, "\x00")] = l
	}
}

// offer leases up to n jobs for a call, if it wants any and its worker may have
// some.
func (e *Engine) offer(c *parkedCall, n int, now int64) {
	if c.want <= 0 || holdsBack(c.response.Directive) {
		return
	}
	var err error
	e.grants, err = e.q.Lease(c.worker.ID, c.types, n, now, e.grants[:0])
	e.arrive(now)
	if err != nil {
		e.log().Error("lease", "worker", c.worker.ID, "error", err)
		return
	}
	e.handed(c.worker, e.grants, now)
	for i := range e.grants {
		c.response.Jobs = append(c.response.Jobs, e.leased(&e.grants[i], now))
	}
}

func (e *Engine) leased(g *dispatch.Grant, now int64) api.LeasedJob {
	j := e.jobs.At(g.ID)
	l := api.LeasedJob{
		ID: g.ID, Type: g.Type, Priority: int(g.Priority), Tenant: g.Tenant, Group: j.groupID(), Attempt: g.Attempt, Token: uint64(g.Token),
		LeaseUntil: e.at(g.Until), LeaseMS: (g.Until - now) / int64(time.Millisecond), Args: j.args,
	}
	if g.Deadline != 0 {
		at := e.at(g.Deadline)
		l.Deadline, l.DeadlineMS = &at, max(1, (g.Deadline-now)/int64(time.Millisecond))
	}
	return l
}

// says reports whether a call has anything to say at once.
func (c *parkedCall) says() bool {
	r := &c.response
	return len(r.Jobs)+len(r.Lost)+len(r.Cancel)+len(r.Acks) > 0
}

// answer answers a parked call with what its response is now.
func (c *parkedCall) answer(e *Engine) {
	e.parked.unpark(c)
	c.remember(e)
	c.ticket = e.ticket()
	c.answered = true
	if b := e.pending; b != nil { // it would have to wait for that anyway: it is woken once
		b.watching = append(b.watching, c.woken)
		b.callers.Add(1)
		return
	}
	close(c.woken)
}

// answerEmpty wakes a parked call without remembering the answer.
func (c *parkedCall) answerEmpty(e *Engine) {
	e.parked.unpark(c)
	c.answered = true
	close(c.woken)
}

// remember keeps an answer for a repetition of the call.
func (c *parkedCall) remember(e *Engine) {
	if len(c.response.Jobs)+len(c.response.Acks) == 0 {
		return
	}
	r := &c.worker.replies
	copy(r[1:], r[:])
	r[0] = &reply{c.reqID, c.response, e.ticket()}
}

// repeat returns what a call with the id was answered, without the jobs that
// are not the worker's any more; nil if the id is new. A call that waits under
// the id is sent away: its connection is lost, or it would not come again.
func (e *Engine) repeat(w *worker, reqID string) *reply {
	for _, c := range slices.Clone(w.parked) {
		if c.reqID == reqID {
			c.answerEmpty(e)
		}
	}
	if err := e.q.Renew(w.ID, e.clock.now()); err != nil {
		e.log().Error("renew", "worker", w.ID, "error", err)
	}
	for _, r := range w.replies {
		if r == nil || r.reqID != reqID {
			continue
		}
		again := *r
		again.response.Jobs = []api.LeasedJob{}
		now := e.clock.now()
		for _, l := range r.response.Jobs {
			s, _ := e.q.Job(l.ID)
			if s.State != dispatch.Leased || uint64(s.Token) != l.Token {
				continue
			}
			if l.Deadline != nil {
				l.DeadlineMS = max(1, l.Deadline.Sub(e.at(now)).Milliseconds())
			}
			again.response.Jobs = append(again.response.Jobs, l)
		}
		return &again
	}
	return nil
}
