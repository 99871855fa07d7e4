package queue

import (
	"context"
	"encoding/json"
	"time"
)

// keeper does what is due by the clock: leases and deadlines that pass, delayed
// jobs and schedules that are due, and once in a while what need not be prompt.
func (e *Engine) keeper() {
	var second, flush int64
	for {
		e.mu.Lock()
		now := e.clock.now()
		e.effects = e.q.Expire(now, e.effects[:0])
		e.book(now)
		if now >= second {
			second = now + int64(time.Second)
			e.runPlans(now)
			e.expireOrders(now)
			e.forgetWorkers(now)
			e.wantPage()
			if off := e.clock.towardsWall(); off.Abs() > time.Second && second%(60*int64(time.Second)) < int64(time.Second) {
				e.log().Warn("the wall clock was set; the queue follows slowly", "off", off.Round(time.Millisecond))
			}
		}
		if now >= flush {
			flush = now + flowStepLong
			e.flushMinutes(now)
			e.noteTotals()
		}
		e.wakeAt = min(second, e.nextPlan())
		if at, ok := e.q.Wake(); ok {
			e.wakeAt = min(e.wakeAt, at)
		}
		sleep := max(time.Duration(e.wakeAt-now), time.Millisecond)
		e.leave()
		timer := time.NewTimer(sleep)
		select {
		case <-timer.C:
		case <-e.rouse:
			timer.Stop()
		case <-e.dead:
			timer.Stop()
			return
		}
	}
}

// mindWake rouses the keeper if something is due before it would look.
func (e *Engine) mindWake() {
	if at, ok := e.q.Wake(); ok && at < e.wakeAt {
		e.wakeAt = at
		poke(e.rouse)
	}
}

// noteTotals remembers what ever happened, for the next leader.
func (e *Engine) noteTotals() {
	t := e.totals()
	if t == e.written {
		return
	}
	e.written = t
	text, err := json.Marshal(t)
	if err != nil {
		e.log().Error("remember the totals", "error", err)
		return
	}
	e.noteFact("totals", "", text)
}

// tender keeps the store in order until the engine ends.
func (e *Engine) tender(ctx context.Context) {
	every := time.NewTicker(10 * time.Minute)
	defer every.Stop()
	for {
		e.mu.Lock()
		now := e.clock.now()
		e.forgetRequests(now)
		e.forgetGroups(now)
		e.leave()
		try, cancel := context.WithTimeout(ctx, 5*time.Minute)
		if err := e.store.Tend(try, now, now-int64(e.opt.HistoryFor), now-int64(e.opt.MinutesFor)); err != nil && ctx.Err() == nil {
			e.log().Warn("tend the store", "error", err)
		}
		cancel()
		select {
		case <-every.C:
		case <-e.dead:
			return
		}
	}
}

func (e *Engine) forgetRequests(now int64) {
	for key, r := range e.requests {
		if r.Until <= now {
			delete(e.requests, key)
			e.noteFact("request", key, nil)
		}
	}
}

func (e *Engine) forgetGroups(now int64) {
	for id, g := range e.groups {
		if g.Ended && g.Failed == 0 && now-g.EndedAt.UnixNano() > int64(e.opt.GroupsFor) {
			delete(e.groups, id)
			delete(e.groupBy, g.Key)
			e.noteFact("group", id, nil)
		}
	}
}
