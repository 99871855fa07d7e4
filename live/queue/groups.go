package queue

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"time"

	"github.com/skynet-ec2/skynet/live/api"
	"github.com/skynet-ec2/skynet/policy/dispatch"
)

// group is jobs that belong together, and how far they are.
type group struct {
	api.Group
	Key      string    `json:"key,omitempty"`     // idempotency, scoped
	EndedAt  time.Time `json:"ended_at,omitzero"` // when it ended last
	watching []chan struct{}
}

// count books n jobs of the group in a state.
func (g *group) count(s dispatch.State, n int64) {
	switch s {
	case dispatch.Waiting, dispatch.Delayed:
		g.Waiting += n
	case dispatch.Leased:
		g.Leased += n
	case dispatch.Dead, dispatch.Quarantined:
		g.Failed += n
	case dispatch.Done:
		g.Done += n
	case dispatch.Cancelled:
		g.Cancelled += n
	}
}

// over reports whether nothing of the group waits or runs, and nothing more is
// to come.
func (g *group) over() bool { return g.Waiting == 0 && g.Leased == 0 && g.Jobs >= max(1, g.Size) }

// stored returns what the store keeps of a group. What waits and runs is
// counted again when the jobs are loaded.
func (g *group) stored() []byte {
	s := *g
	s.Waiting, s.Leased, s.Failed = 0, 0, 0
	text, err := json.Marshal(&s)
	if err != nil {
		panic(err) // it has only strings, numbers and instants of our own
	}
	return text
}

// noteGroup remembers that a group's row has to be written.
func (e *Engine) noteGroup(g *group) {
	if g == nil || e.loading {
		return
	}
	b := e.open()
	if b.groups == nil {
		b.groups = map[*group]bool{}
	}
	b.groups[g] = true
	was := g.Ended
	if g.Ended = g.over(); g.Ended && !was {
		g.EndedAt = e.at(e.clock.now())
		b.watching = append(b.watching, g.watching...)
		g.watching = nil
	}
}

// at returns an instant of the engine's as time.
func (e *Engine) at(ns int64) time.Time { return time.Unix(0, ns).UTC() }

// NewGroup makes a group. With a key that a group of the tenant has, it
// returns that one.
func (e *Engine) NewGroup(ctx context.Context, r api.GroupRequest) (api.Group, error) {
	if err := cmp.Or(
		checkName("name", r.Name, 0), checkName("tenant", r.Tenant, 0), checkName("key", r.Key, 0),
		checkNumber("size", r.Size, 0, 1<<40),
	); err != nil {
		return api.Group{}, err
	}
	if err := e.enter(ctx); err != nil {
		return api.Group{}, err
	}
	key := scopedKey(r.Tenant, r.Key)
	g := e.groups[e.groupBy[key]]
	if g == nil || key == "" {
		g = &group{Key: key}
		g.ID = "g" + strconv.FormatInt(e.newNumber(), 36)
		g.Name, g.Tenant, g.Size, g.CreatedAt = r.Name, r.Tenant, r.Size, e.at(e.clock.now())
		e.addGroup(g)
		e.noteGroup(g)
	}
	answer := g.Group
	return answer, e.settle(ctx, e.leave())
}

func (e *Engine) addGroup(g *group) {
	e.groups[g.ID] = g
	if g.Key != "" {
		e.groupBy[g.Key] = g.ID
	}
}

// Group returns how far a group is, once it has ended or wait has passed.
func (e *Engine) Group(ctx context.Context, id string, wait time.Duration) (api.Group, error) {
	if err := e.enter(ctx); err != nil {
		return api.Group{}, err
	}
	g := e.groups[id]
	if g == nil {
		e.mu.Unlock()
		return api.Group{}, refuse(api.CodeNotFound, "group", "there is no group %q", id)
	}
	if g.Ended || wait <= 0 {
		answer := g.Group
		return answer, e.settle(ctx, e.leave())
	}
	ended := make(chan struct{})
	g.watching = append(g.watching, ended)
	e.mu.Unlock()
	e.await(ctx, ended, wait)
	e.mu.Lock()
	g.watching = slices.DeleteFunc(g.watching, func(c chan struct{}) bool { return c == ended })
	answer := g.Group
	return answer, e.settle(ctx, e.leave())
}

// await returns when c is closed, wait has passed, ctx has ended or the engine
// has.
func (e *Engine) await(ctx context.Context, c chan struct{}, wait time.Duration) {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-c:
	case <-timer.C:
	case <-ctx.Done():
	case <-e.closed:
	case <-e.dead:
	}
}

// Groups returns a tenant's groups, everybody's if none is named, the newest
// first.
func (e *Engine) Groups(ctx context.Context, tenant string) (api.GroupsResponse, error) {
	if err := e.enter(ctx); err != nil {
		return api.GroupsResponse{}, err
	}
	all := []api.Group{}
	for _, g := range e.groups {
		if tenant == "" || g.Tenant == tenant {
			all = append(all, g.Group)
		}
	}
	b := e.leave()
	slices.SortFunc(all, func(a, b api.Group) int {
		return cmp.Or(b.CreatedAt.Compare(a.CreatedAt), cmp.Compare(b.ID, a.ID))
	})
	return api.GroupsResponse{Groups: all}, e.settle(ctx, b)
}
