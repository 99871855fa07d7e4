package storetest

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/skynet-ec2/skynet/live/queue"
	"github.com/skynet-ec2/skynet/policy/dispatch"
)

// random writes random batches to the store and to a Memory, opens the store
// again now and then, and compares what the two yield.
func random(t *testing.T, open Open) {
	const seed = 1
	dice := rand.New(rand.NewPCG(seed, 0))
	model, s := queue.NewMemory(), open()
	epoch := leads(t, s)
	for range epoch {
		_, err := model.Lead(t.Context(), "", -1)
		must(t, err)
	}
	live := map[int64]queue.Job{}
	handOuts := map[int64]bool{}
	next, number := int64(1), int64(0)
	pick := func() (int64, bool) {
		if len(live) == 0 {
			return 0, false
		}
		ids := slices.Sorted(maps.Keys(live))
		return ids[dice.IntN(len(ids))], true
	}
	job := func(id int64) queue.Job {
		j := queue.Job{Stored: dispatch.Stored{ID: id, State: dispatch.State(1 + dice.IntN(2)), Token: dispatch.Token(dice.Uint64() >> 12)}, Created: dice.Int64(), Cold: dice.IntN(4) == 0}
		j.Type, j.Priority, j.RunAt = fmt.Sprint("type ", dice.IntN(3)), uint8(dice.IntN(4)), day+dice.Int64N(1000)
		if dice.IntN(2) == 0 {
			j.Args = []byte(fmt.Sprint(`{"job":`, id, `}`))
		}
		if dice.IntN(3) == 0 {
			j.Tenant, j.Failures, j.Error, j.EndedBy = fmt.Sprint("tenant ", dice.IntN(5)), dice.IntN(9), "broken ✂", dispatch.CauseFailed
		}
		if dice.IntN(5) == 0 {
			j.IdempotencyKey = fmt.Sprint("key ", id)
		}
		return j
	}
	for step := range 40 {
		number++
		b := &queue.Batch{Epoch: epoch, Number: number}
		for range dice.IntN(90) {
			j := job(next)
			next++
			live[j.ID] = j
			b.Added = append(b.Added, j)
		}
		b.NextID = next
		fresh := func(id int64) bool { return len(b.Added) > 0 && id >= b.Added[0].ID }
		touched := map[int64]bool{}
		for range dice.IntN(60) {
			id, ok := pick()
			if !ok || fresh(id) || touched[id] {
				continue
			}
			touched[id] = true
			if dice.IntN(3) == 0 {
				j := job(id)
				j.IdempotencyKey, j.Type, j.Tenant, j.Group = live[id].IdempotencyKey, live[id].Type, live[id].Tenant, live[id].Group
				j.Args, j.Created = live[id].Args, live[id].Created // these never change
				live[id] = j
				b.Changed = append(b.Changed, j)
				continue
			}
			delete(live, id)
			b.Removed = append(b.Removed, id)
			b.Ended = append(b.Ended, record(id, day+dice.Int64N(3*24*hour)))
			if dice.IntN(3) == 0 {
				b.Keys = append(b.Keys, queue.Key{Key: fmt.Sprint("key ", dice.IntN(50)), Job: id, Until: dice.Int64()})
			}
		}
		b.Keys = slices.CompactFunc(slices.SortedFunc(slices.Values(b.Keys), func(a, b queue.Key) int { return strings.Compare(a.Key, b.Key) }),
			func(a, b queue.Key) bool { return a.Key == b.Key })
		for range dice.IntN(5) {
			h := queue.HandOut{ID: int64(epoch)<<32 | number<<8 | int64(len(b.Handed))}
			for range dice.IntN(20) {
				h.Leases = append(h.Leases, queue.Lease{Worker: fmt.Sprint("w", dice.IntN(9)), Job: dice.Int64N(next + 1), Token: dispatch.Token(dice.Uint64() >> 12), Started: dice.Int64()})
			}
			if h.Leases == nil {
				h.Leases = []queue.Lease{}
			}
			b.Handed = append(b.Handed, h)
			handOuts[h.ID] = true
		}
		for _, id := range slices.Sorted(maps.Keys(handOuts)) {
			if id>>8&(1<<24-1) != number && dice.IntN(3) == 0 {
				b.Returned = append(b.Returned, id)
				delete(handOuts, id)
			}
		}
		for k := range dice.IntN(3) {
			f := queue.Fact{Kind: fmt.Sprint("kind ", dice.IntN(3)), Key: fmt.Sprint(k, dice.IntN(5))}
			if dice.IntN(3) > 0 {
				f.Value = []byte(fmt.Sprint(step))
			}
			b.Facts = append(b.Facts, f)
		}
		b.Facts = slices.CompactFunc(slices.SortedFunc(slices.Values(b.Facts), func(a, b queue.Fact) int { return strings.Compare(a.Kind+a.Key, b.Kind+b.Key) }),
			func(a, b queue.Fact) bool { return a.Kind == b.Kind && a.Key == b.Key })
		must(t, model.Commit(t.Context(), b))
		must(t, s.Commit(t.Context(), b))
		if dice.IntN(10) == 0 {
			must(t, s.Resign(t.Context(), epoch))
			s = open()
			epoch, number = leads(t, s), 0
			_, err := model.Lead(t.Context(), "", -1)
			must(t, err)
		}
		if step%6 == 5 {
			same(t, fmt.Sprint("seed ", seed, " step ", step), contentOf(t, s), contentOf(t, model))
		}
	}
	records := func(s queue.Store) (all []queue.Record) {
		must(t, s.History(t.Context(), day, day+30*hour, func(r *queue.Record) error {
			all = append(all, *r)
			return nil
		}))
		return all
	}
	same(t, "history", records(s), records(model))
	colds := func(s queue.Store) []queue.Job {
		jobs, err := s.Cold(t.Context(), queue.Place{Priority: 1, RunAt: day + 500}, 1000)
		must(t, err)
		return jobs
	}
	same(t, "cold", colds(s), colds(model))
}
