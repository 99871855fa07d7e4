package queue

import (
	"cmp"
	"context"
	"hash/fnv"
	"slices"
	"strconv"
	"time"

	"github.com/skynet-ec2/skynet/live/api"
)

// Direct tells workers what to do, now and as long as the directive lasts.
func (e *Engine) Direct(ctx context.Context, r api.DirectiveRequest) (api.PostedDirective, error) {
	year := (365 * 24 * time.Hour).Milliseconds()
	problem := cmp.Or(
		checkName("worker_id", r.WorkerID, 0), checkName("instance_id", r.InstanceID, 0), checkName("role", r.Role, 0),
		checkName("bundle", r.Bundle, 0), checkName("reason", r.Reason, 0), checkNumber("percent", r.Percent, 0, 100),
		checkNumber("after_ms", r.AfterMS, 0, year), checkNumber("spread_ms", r.SpreadMS, 0, year), checkNumber("lasts_ms", r.LastsMS, 0, year),
	)
	ops := []api.Op{api.OpWork, api.OpNap, api.OpDrain, api.OpShutdown, api.OpUpdate, api.OpReload}
	switch {
	case problem != nil:
	case !slices.Contains(ops, r.Op):
		problem = refuse(api.CodeInvalid, "op", "op %q: there is none of this name", r.Op)
		for _, op := range ops {
			problem.Allowed = append(problem.Allowed, string(op))
		}
	case !r.All && r.WorkerID == "" && r.InstanceID == "" && r.Role == "":
		problem = refuse(api.CodeRequired, "all", "a directive needs a worker_id, instance_id or role, or all")
	}
	if problem != nil {
		return api.PostedDirective{}, problem
	}
	if err := e.enter(ctx); err != nil {
		return api.PostedDirective{}, err
	}
	now := e.clock.now()
	e.dropOrders(func(d *api.PostedDirective) bool { return sameScope(&d.DirectiveRequest, &r) })
	d := &api.PostedDirective{DirectiveRequest: r, ID: "d" + strconv.FormatInt(e.newNumber(), 36), PostedAt: e.at(now)}
	var err error
	if r.Op != api.OpWork {
		e.orders = append(e.orders, d)
		err = e.noteJSON("directive", d.ID, d)
	}
	d.Workers = e.addressed(d)
	answer := *d
	e.redirect(now)
	b := e.leave()
	if err != nil {
		return api.PostedDirective{}, err
	}
	return answer, e.settle(ctx, b)
}

func sameScope(a, b *api.DirectiveRequest) bool {
	return a.WorkerID == b.WorkerID && a.InstanceID == b.InstanceID && a.Role == b.Role && a.All == b.All
}

// Directives returns what is in force, the oldest first.
func (e *Engine) Directives() api.DirectivesResponse {
	e.mu.Lock()
	defer e.mu.Unlock()
	all := make([]api.PostedDirective, 0, len(e.orders))
	for _, d := range e.orders {
		d.Workers = e.addressed(d)
		all = append(all, *d)
	}
	return api.DirectivesResponse{Directives: all}
}

// DeleteDirective takes a directive back.
func (e *Engine) DeleteDirective(ctx context.Context, id string) error {
	if err := e.enter(ctx); err != nil {
		return err
	}
	n := e.dropOrders(func(d *api.PostedDirective) bool { return d.ID == id })
	if n > 0 {
		e.redirect(e.clock.now())
	}
	b := e.leave()
	if n == 0 {
		return refuse(api.CodeNotFound, "directive", "there is no directive %q", id)
	}
	return e.settle(ctx, b)
}

// dropOrders takes directives back and returns how many.
func (e *Engine) dropOrders(which func(*api.PostedDirective) bool) (n int) {
	e.orders = slices.DeleteFunc(e.orders, func(d *api.PostedDirective) bool {
		if !which(d) {
			return false
		}
		e.noteFact("directive", d.ID, nil)
		n++
		return true
	})
	return n
}

func (e *Engine) expireOrders(now int64) {
	n := e.dropOrders(func(d *api.PostedDirective) bool {
		return d.LastsMS > 0 && d.PostedAt.UnixNano()+d.LastsMS*int64(time.Millisecond) <= now
	})
	if n > 0 {
		e.redirect(now)
	}
}

func (e *Engine) sortOrders() {
	slices.SortFunc(e.orders, func(a, b *api.PostedDirective) int {
		return cmp.Or(a.PostedAt.Compare(b.PostedAt), cmp.Compare(a.ID, b.ID))
	})
}

// redirect answers the parked calls of workers that are to do something else
// than they were told.
func (e *Engine) redirect(now int64) {
	for _, w := range e.workers {
		e.recount(w, now)
		e.redirectOne(w, now)
	}
}

// redirectOne answers those of a worker's parked calls that were told something
// else than the worker is to do. What it was told last is no measure: that may
// have come with another call.
func (e *Engine) redirectOne(w *worker, now int64) {
	if len(w.parked) == 0 {
		return
	}
	d := e.directiveFor(w, now)
	for _, c := range slices.Clone(w.parked) {
		if c.response.Directive != d {
			w.directive, c.response.Directive = d, d
			c.answer(e)
		}
	}
}

// addressed counts the workers that a directive is for.
func (e *Engine) addressed(d *api.PostedDirective) (n int) {
	for _, w := range e.workers {
		if isFor(d, w) {
			n++
		}
	}
	return n
}

func isFor(d *api.PostedDirective, w *worker) bool {
	switch {
	case d.WorkerID != "" && d.WorkerID != w.ID, d.InstanceID != "" && d.InstanceID != w.InstanceID, d.Role != "" && !slices.Contains(w.Roles, d.Role):
		return false
	case d.Percent > 0 && d.Percent < 100:
		return int(lot(w.InstanceID)%100) < d.Percent
	}
	return true
}

// lot returns a number that is always the same for a name.
func lot(name string) uint64 {
	h := fnv.New64a()
	h.Write([]byte(name))
	return h.Sum64() * 0x9e3779b97f4a7c15 >> 16
}

// directiveFor returns what a worker is to do: of the directives for it the one
// with the narrowest scope, of those the latest.
func (e *Engine) directiveFor(w *worker, _ int64) api.Directive {
	var best *api.PostedDirective
	for _, d := range e.orders {
		if isFor(d, w) && (best == nil || narrowness(d) >= narrowness(best)) {
			best = d
		}
	}
	if best == nil {
		return api.Directive{Op: api.OpWork}
	}
	d := api.Directive{Op: best.Op, AfterMS: best.AfterMS, Bundle: best.Bundle, Reason: best.Reason}
	if best.SpreadMS > 0 {
		d.AfterMS += int64(lot(w.ID+best.ID) % uint64(best.SpreadMS+1))
	}
	return d
}

func narrowness(d *api.PostedDirective) int {
	switch {
	case d.WorkerID != "":
		return 3
	case d.InstanceID != "":
		return 2
	case d.Role != "":
		return 1
	}
	return 0
}

// holdsBack reports whether a worker that was told d gets no jobs. One that was
// told of another release works until it has that: it may never get it, or have
// it already.
func holdsBack(d api.Directive) bool {
	return d.Op == api.OpNap || d.Op == api.OpDrain || d.Op == api.OpShutdown
}
