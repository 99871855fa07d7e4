package queue

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/skynet-ec2/skynet/policy/dispatch"
)

// Memory is a Store that lives as long as its process: for tests, and for a
// queue that may forget. Engines may follow each other on one Memory.
type Memory struct {
	mu       sync.Mutex
	epoch    uint32
	until    time.Time
	number   int64 // of the last batch
	nextID   int64
	jobs     map[int64]Job
	keyedBy  map[string]int64 // job, by its idempotency key
	ended    map[int64]Record
	handOuts map[int64]HandOut
	keys     map[string]Key
	facts    map[[2]string][]byte
	minutes  map[minuteKey]MinuteCounts
}

type minuteKey struct {
	at       int64
	jobType  string
	priority uint8
}

// NewMemory returns an empty store.
func NewMemory() *Memory {
	return &Memory{
		nextID: 1, jobs: map[int64]Job{}, keyedBy: map[string]int64{}, ended: map[int64]Record{}, handOuts: map[int64]HandOut{},
		keys: map[string]Key{}, facts: map[[2]string][]byte{}, minutes: map[minuteKey]MinuteCounts{},
	}
}

// Lead implements Store.
func (m *Memory) Lead(ctx context.Context, _ string, ttl time.Duration) (uint32, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	if time.Now().Before(m.until) {
		return 0, ErrHeld
	}
	m.epoch++
	m.number = 0
	m.until = time.Now().Add(ttl)
	return m.epoch, nil
}

// Renew implements Store.
func (m *Memory) Renew(ctx context.Context, epoch uint32, ttl time.Duration) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.may(ctx, epoch); err != nil {
		return err
	}
	m.until = time.Now().Add(ttl)
	return nil
}

// Resign implements Store.
func (m *Memory) Resign(ctx context.Context, epoch uint32) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.may(ctx, epoch); err != nil {
		return err
	}
	m.until = time.Time{}
	return nil
}

func (m *Memory) may(ctx context.Context, epoch uint32) error {
	if epoch != m.epoch {
		return ErrFenced
	}
	return ctx.Err()
}

// Commit implements Store.
func (m *Memory) Commit(ctx context.Context, b *Batch) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	if written, err := b.After(int64(m.epoch), m.number); written || err != nil {
		return err
	}
	if err := m.conflict(b); err != nil {
		return err
	}
	m.number, m.nextID = b.Number, max(m.nextID, b.NextID)
	for _, id := range b.Removed {
		delete(m.keyedBy, m.jobs[id].IdempotencyKey)
		delete(m.jobs, id)
	}
	for _, jobs := range [][]Job{b.Added, b.Changed} {
		for _, j := range jobs {
			m.jobs[j.ID] = j
			if j.IdempotencyKey != "" {
				m.keyedBy[j.IdempotencyKey] = j.ID
			}
		}
	}
	for _, r := range b.Ended {
		m.ended[r.ID] = r
	}
	for _, h := range b.Handed {
		m.handOuts[h.ID] = h
	}
	for _, id := range b.Returned {
		delete(m.handOuts, id)
	}
	for _, k := range b.Keys {
		m.keys[k.Key] = k
	}
	for _, f := range b.Facts {
		if f.Value == nil {
			delete(m.facts, [2]string{f.Kind, f.Key})
		} else {
			m.facts[[2]string{f.Kind, f.Key}] = f.Value
		}
	}
	for _, n := range b.Minutes {
		at := minuteKey{n.At, n.Type, n.Priority}
		sum := m.minutes[at]
		sum.Add(n.MinuteCounts)
		m.minutes[at] = sum
	}
	return nil
}

// conflict finds what a database would refuse: rows that are there already, or
// not there.
func (m *Memory) conflict(b *Batch) error {
	for _, j := range b.Added {
		if _, there := m.jobs[j.ID]; there {
			return fmt.Errorf("job %d added twice", j.ID)
		}
	}
	for _, j := range b.Changed {
		if _, there := m.jobs[j.ID]; !there {
			return fmt.Errorf("job %d changed, but not there", j.ID)
		}
	}
	for _, id := range b.Removed {
		if _, there := m.jobs[id]; !there {
			return fmt.Errorf("job %d removed, but not there", id)
		}
	}
	for _, r := range b.Ended {
		if _, there := m.ended[r.ID]; there {
			return fmt.Errorf("job %d ended twice", r.ID)
		}
	}
	for _, h := range b.Handed {
		if _, there := m.handOuts[h.ID]; there {
			return fmt.Errorf("hand-out %d twice", h.ID)
		}
	}
	keys := map[string]bool{}
	for _, j := range b.Added {
		if k := j.IdempotencyKey; k != "" {
			if keys[k] || m.keyed(k, b.Removed) {
				return fmt.Errorf("job %d: another one has the idempotency key %q", j.ID, k)
			}
			keys[k] = true
		}
	}
	return nil
}

// keyed reports whether a job has the key that is not among those to be removed.
func (m *Memory) keyed(key string, removed []int64) bool {
	id, there := m.keyedBy[key]
	return there && !slices.Contains(removed, id)
}

// Load implements Store.
func (m *Memory) Load(ctx context.Context, into Loaded) (int64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	byKey := func(a, b [2]string) int { return slices.Compare(a[:], b[:]) }
	for _, k := range slices.SortedFunc(maps.Keys(m.facts), byKey) {
		if err := into.Fact(Fact{k[0], k[1], m.facts[k]}); err != nil {
			return 0, err
		}
	}
	for _, k := range slices.Sorted(maps.Keys(m.keys)) {
		if err := into.Key(m.keys[k]); err != nil {
			return 0, err
		}
	}
	for _, id := range slices.Sorted(maps.Keys(m.handOuts)) {
		if err := into.HandOut(m.handOuts[id]); err != nil {
			return 0, err
		}
	}
	for _, id := range slices.Sorted(maps.Keys(m.jobs)) {
		if j := m.jobs[id]; !j.Cold {
			if err := into.Job(&j); err != nil {
				return 0, err
			}
		}
	}
	return m.nextID, nil
}

// colds returns the cold jobs behind a place, in their order.
func (m *Memory) colds(after Place) []Job {
	var found []Job
	for _, j := range m.jobs {
		if j.Cold && after.Before(j.place()) {
			found = append(found, j)
		}
	}
	slices.SortFunc(found, func(a, b Job) int {
		if a.place().Before(b.place()) {
			return -1
		}
		return 1
	})
	return found
}

func (j *Job) place() Place { return Place{j.Priority, j.RunAt, j.ID} }

// Cold implements Store.
func (m *Memory) Cold(ctx context.Context, after Place, n int) ([]Job, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	found := m.colds(after)
	return found[:min(n, len(found))], ctx.Err()
}

// ColdJob implements Store.
func (m *Memory) ColdJob(ctx context.Context, id int64) (Job, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	j, ok := m.jobs[id]
	return j, ok && j.Cold, ctx.Err()
}

// Colds implements Store.
func (m *Memory) Colds(ctx context.Context) ([]ColdCount, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var counts []ColdCount
	for _, j := range m.colds(Place{}) {
		i := slices.IndexFunc(counts, func(c ColdCount) bool {
			return c.Type == j.Type && c.Priority == j.Priority && c.Group == j.Group
		})
		if i < 0 {
			i = len(counts)
			counts = append(counts, ColdCount{Type: j.Type, Priority: j.Priority, Group: j.Group, Oldest: j.RunAt})
		}
		counts[i].Count(&j)
	}
	return counts, ctx.Err()
}

// Ended implements Store.
func (m *Memory) Ended(ctx context.Context, id int64) (Record, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r, ok := m.ended[id]
	return r, ok, ctx.Err()
}

// Completed implements Store.
func (m *Memory) Completed(ctx context.Context, ids []int64) (map[int64]dispatch.Token, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	found := map[int64]dispatch.Token{}
	for _, id := range ids {
		if r := m.ended[id]; r.State == dispatch.Done {
			found[id] = r.Token
		}
	}
	return found, ctx.Err()
}

// History implements Store.
func (m *Memory) History(ctx context.Context, from, to int64, yield func(*Record) error) error {
	m.mu.Lock()
	var found []Record
	for _, r := range m.ended {
		if r.Finished >= from && r.Finished < to {
			found = append(found, r)
		}
	}
	m.mu.Unlock()
	slices.SortFunc(found, func(a, b Record) int {
		return cmp.Or(cmp.Compare(a.Finished, b.Finished), cmp.Compare(a.ID, b.ID))
	})
	for i := range found {
		if err := cmp.Or(ctx.Err(), yield(&found[i])); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// Minutes implements Store.
func (m *Memory) Minutes(ctx context.Context, from, to int64, yield func(Minute) error) error {
	m.mu.Lock()
	var found []Minute
	for k, c := range m.minutes {
		if k.at >= from && k.at < to {
			found = append(found, Minute{k.at, k.jobType, k.priority, c})
		}
	}
	m.mu.Unlock()
	slices.SortFunc(found, func(a, b Minute) int {
		return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(a.Type, b.Type), cmp.Compare(a.Priority, b.Priority))
	})
	for _, n := range found {
		if err := cmp.Or(ctx.Err(), yield(n)); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// Tend implements Store.
func (m *Memory) Tend(ctx context.Context, now, keepFrom, minutesFrom int64) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	maps.DeleteFunc(m.keys, func(_ string, k Key) bool { return k.Until <= now })
	maps.DeleteFunc(m.ended, func(_ int64, r Record) bool { return dayOf(r.Finished) < dayOf(keepFrom) })
	maps.DeleteFunc(m.minutes, func(k minuteKey, _ MinuteCounts) bool { return k.at < minutesFrom })
	return ctx.Err()
}

// dayOf returns the number of the UTC day since 1970 that an instant lies in.
func dayOf(ns int64) int64 { return ns / int64(24*time.Hour) }

// Close implements Store.
func (m *Memory) Close() error { return nil }
