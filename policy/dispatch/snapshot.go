package dispatch

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math"
	"slices"
	"strings"
	"time"
)

// A snapshot is the magic, a sequence of variable-length integers and strings
// with their lengths, and a CRC-32C of all that. Everything stands in an order
// that does not depend on how the queue came to be what it is, so equal queues
// have equal snapshots.
const snapshotMagic = "skynet queue 1\n"

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// AppendSnapshot appends to b all that the queue is, in about 30 bytes a job
// without names.
func (q *Queue) AppendSnapshot(b []byte) []byte {
	start := len(b)
	w := writer{append(b, snapshotMagic...)}
	o := q.opt
	w.ints(int64(o.Epoch), int64(o.LeaseTTL), int64(o.ConfirmWithin), int64(o.RememberFor), int64(o.KeyFor),
		int64(o.AttemptsMax), int64(o.LossesMax), int64(o.BackoffBase), int64(o.BackoffMax),
		int64(o.Seed), int64(o.KeyLimit), flag(o.Fair), int64(o.AgeStep))
	w.ints(q.now, q.nextID)
	w.ints(q.totals.all()...)

	w.int(int64(len(q.kinds)))
	for i := range q.kinds {
		k := &q.kinds[i]
		w.string(k.name)
		w.ints(flag(k.paused), int64(k.limit.Running), int64(k.limit.Every), int64(k.limit.Burst), k.full)
	}

	workers := q.workers.sorted(func(*worker) bool { return true })
	w.int(int64(len(workers)))
	for _, i := range workers {
		w.string(q.workers.name[i])
		w.ints(q.workers.at(i).until, q.workers.at(i).asks)
	}

	keys := q.keys.sorted(func(k *key) bool { return k.limit > 0 })
	w.int(int64(len(keys)))
	for _, i := range keys {
		w.string(q.keys.name[i])
		w.int(int64(q.keys.at(i).limit))
	}

	q.appendTenants(&w)
	q.appendJobs(&w)

	n := q.idemEnded.len()
	w.int(int64(n))
	for e := range q.idemEnded.items {
		w.string(e.key)
		w.ints(q.idem[e.key].job, e.at)
	}
	return appendChecksum(w.b, start)
}

func appendChecksum(b []byte, from int) []byte {
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b[from:], castagnoli))
}

func (q *Queue) appendTenants(w *writer) {
	// The tenant without a name counts among the others.
	tenants := append([]int32{0}, q.tenants.sorted(func(t *tenant) bool { return t.jobs > 0 || t.given || q.owes(t) })...)
	w.int(int64(len(tenants)))
	for _, i := range tenants {
		t := q.tenants.at(i)
		w.string(q.tenants.name[i])
		w.ints(t.weight, flag(t.given))
		accounts := slices.Clone(t.accounts)
		slices.SortFunc(accounts, func(a, b account) int { return int(a.priority) - int(b.priority) })
		w.int(int64(len(accounts)))
		for _, a := range accounts {
			w.ints(int64(a.priority), a.served)
		}
	}
	var used []int
	for p := range q.clocks {
		if q.clocks[p].now != 0 {
			used = append(used, p)
		}
	}
	w.int(int64(len(used)))
	for _, p := range used {
		w.ints(int64(p), q.clocks[p].now)
	}
}

func (q *Queue) appendJobs(w *writer) {
	// Ended jobs stand in the order in which they are forgotten, the others
	// after them by id.
	slots := make([]int32, 0, q.records.index.n)
	for t := range q.ended.items {
		slots = append(slots, t.slot)
	}
	for _, slot := range q.byID() {
		if s := q.records.at(slot).state; s != Done && s != Cancelled {
			slots = append(slots, slot)
		}
	}
	w.int(int64(len(slots)))
	for _, slot := range slots {
		r := q.records.at(slot)
		w.ints(r.id, int64(r.kind), int64(r.priority), int64(r.state), int64(r.token), r.arrival, r.estimate, r.maxRun,
			int64(r.attempts), int64(r.attempt), int64(r.failures), int64(r.losses), int64(r.end()), flag(r.has(flagCancel)), r.when)
		w.string(q.tenants.name[r.tenant])
		w.string(q.keys.name[r.key])
		if r.has(flagKeyed) {
			w.string(q.idemOf[r.id])
		} else {
			w.string("")
		}
		if r.state == Leased {
			l := q.leases.at(r.lease)
			w.string(q.workers.at(l.worker).name)
			w.ints(l.started, l.seen)
		}
	}
}

// Restore returns the queue of which b is a snapshot, to be led by a leader of
// the given epoch; 0 leaves the epoch as it was. Data that are cut, changed or
// not a snapshot are an error.
func Restore(b []byte, epoch uint32) (*Queue, error) {
	q, err := restore(b, epoch)
	if err != nil {
		return nil, fmt.Errorf("restore queue: %w", err)
	}
	return q, nil
}

func restore(b []byte, epoch uint32) (*Queue, error) {
	if len(b) < len(snapshotMagic)+4 || string(b[:len(snapshotMagic)]) != snapshotMagic {
		return nil, errors.New("not a snapshot")
	}
	body := b[:len(b)-4]
	if want, got := binary.LittleEndian.Uint32(b[len(body):]), crc32.Checksum(body, castagnoli); want != got {
		return nil, fmt.Errorf("checksum %08x, computed %08x: the snapshot is damaged", want, got)
	}
	r := &reader{b: body[len(snapshotMagic):]}
	o := Options{
		Epoch: uint32(r.upTo(math.MaxUint32)), LeaseTTL: r.duration(), ConfirmWithin: r.duration(), RememberFor: r.duration(), KeyFor: r.duration(),
		AttemptsMax: int(r.int()), LossesMax: int(r.int()), BackoffBase: r.duration(), BackoffMax: r.duration(),
		Seed: uint64(r.int()), KeyLimit: int(r.int()), Fair: r.upTo(1) == 1, AgeStep: r.duration(),
	}
	if epoch != 0 {
		if epoch < o.Epoch {
			return nil, fmt.Errorf("epoch %d: the snapshot is of epoch %d", epoch, o.Epoch)
		}
		o.Epoch = epoch
	}
	if r.err != nil {
		return nil, r.err
	}
	q, err := New(o)
	if err != nil {
		return nil, err
	}
	q.now = r.instant()
	nextID := r.instant()
	for _, t := range q.totals.fields() {
		*t = r.int()
	}
	for n := r.count(); n > 0 && r.err == nil; n-- {
		number, err := q.kindNumber(r.string())
		if err != nil {
			return nil, err
		}
		if int(number) != len(q.kinds)-1 {
			return nil, fmt.Errorf("type %q twice", q.kinds[number].name)
		}
		paused := r.upTo(1) == 1
		l := Limit{Running: int(r.int()), Every: r.duration(), Burst: int(r.int())}
		if err := q.SetLimit(q.kinds[number].name, l); err != nil {
			return nil, err
		}
		q.kinds[number].paused, q.kinds[number].full = paused, r.instant()
	}
	for n := r.count(); n > 0 && r.err == nil; n-- {
		i, err := q.hear(r.string())
		if err != nil {
			return nil, err
		}
		w := q.workers.at(i)
		w.until, w.asks = r.instant(), r.instant()
	}
	q.silent = q.silent[:0]
	for i := range q.workers.things[1:] {
		w := &q.workers.things[i+1]
		q.silent.push(silence{w.asks, w.name, int32(i + 1)})
	}
	for n := r.count(); n > 0 && r.err == nil; n-- {
		if err := q.SetKeyLimit(r.string(), int(r.int())); err != nil {
			return nil, err
		}
	}
	clocks, err := q.restoreTenants(r)
	if err != nil {
		return nil, err
	}
	if err := q.restoreJobs(r); err != nil {
		return nil, err
	}
	// With the clocks at 0 no tenant was moved forward when its jobs came.
	for p, now := range clocks {
		q.clocks[p].now = now
	}
	for n := r.count(); n > 0 && r.err == nil; n-- {
		key, job, at := r.string(), r.instant(), r.instant()
		if _, taken := q.idem[key]; taken || len(key) == 0 || len(key) > maxName {
			return nil, fmt.Errorf("idempotency key %q: empty, too long or taken", key)
		}
		q.idem[key] = idemEntry{job, true}
		q.idemEnded.insert(idemExpiry{at, key})
	}
	if r.err == nil && len(r.b) > 0 {
		r.err = fmt.Errorf("%d bytes too many", len(r.b))
	}
	if r.err == nil && nextID < q.nextID {
		r.err = fmt.Errorf("next id %d: there is a job %d", nextID, q.nextID-1)
	}
	q.nextID = nextID
	return q, r.err
}

func (q *Queue) restoreTenants(r *reader) (clocks [256]int64, err error) {
	for n := r.count(); n > 0 && r.err == nil; n-- {
		t := q.tenants.at(q.tenants.number(r.name(), q.newTenant))
		t.weight, t.given = max(1, r.upTo(WeightMax)), r.upTo(1) == 1
		accounts := r.count()
		if accounts > 256 {
			return clocks, fmt.Errorf("a tenant with %d accounts: must be 0 to 256", accounts)
		}
		for ; accounts > 0 && r.err == nil; accounts-- {
			t.account(uint8(r.upTo(255))).served = r.instant()
		}
	}
	for n := r.count(); n > 0 && r.err == nil; n-- {
		p := r.upTo(255)
		clocks[p] = r.instant()
	}
	return clocks, r.err
}

func (q *Queue) restoreJobs(r *reader) error {
	for n := r.count(); n > 0; n-- {
		s := Stored{ID: r.instant()}
		kind := r.upTo(maxKinds)
		s.Priority, s.State, s.Token = uint8(r.upTo(255)), State(r.upTo(int64(states)-1)), Token(r.int())
		s.RunAt, s.Estimate, s.MaxRun = r.instant(), r.duration(), r.duration()
		s.AttemptsMax, s.Attempts, s.Failures, s.Losses = int(r.upTo(maxAttempts)), int(r.upTo(maxAttempts)), int(r.upTo(maxAttempts)), int(r.upTo(maxLosses))
		s.EndedBy = endedBy[r.upTo(int64(endings)-1)]
		s.Cancelling = r.upTo(1) == 1
		s.Due = r.instant()
		s.Since = s.Due
		s.Tenant, s.ConcurrencyKey, s.IdempotencyKey = r.name(), r.name(), r.name()
		if s.State == Leased {
			s.Worker, s.Started, s.Seen = r.name(), r.instant(), r.instant()
		}
		if r.err != nil {
			return r.err
		}
		if kind >= int64(len(q.kinds)) {
			return fmt.Errorf("job %d of type number %d of %d", s.ID, kind, len(q.kinds))
		}
		s.Type = q.kinds[kind].name
		if s.State == Leased && q.workers.by[s.Worker] == 0 {
			return fmt.Errorf("job %d leased to %q, who is not there", s.ID, s.Worker)
		}
		if err := q.Load(s); err != nil {
			return err
		}
	}
	return r.err
}

// fields returns where the totals stand, in their order.
func (t *Totals) fields() []*int64 {
	return []*int64{
		&t.Enqueued, &t.Repeated, &t.Leased, &t.Completed, &t.Failed, &t.PastDeadline,
		&t.Released, &t.Lost, &t.Dead, &t.Quarantined, &t.Cancelled, &t.Adopted,
	}
}

func (t *Totals) all() []int64 {
	var v []int64
	for _, f := range t.fields() {
		v = append(v, *f)
	}
	return v
}

// sorted returns the numbers of the wanted things that have a name, by name.
func (n *names[T]) sorted(wanted func(*T) bool) []int32 {
	var numbers []int32
	for i := 1; i < len(n.things); i++ {
		if n.name[i] != "" && wanted(&n.things[i]) {
			numbers = append(numbers, int32(i))
		}
	}
	slices.SortFunc(numbers, func(a, b int32) int { return strings.Compare(n.name[a], n.name[b]) })
	return numbers
}

func flag(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

type writer struct{ b []byte }

func (w *writer) int(v int64) { w.b = binary.AppendVarint(w.b, v) }

func (w *writer) ints(vs ...int64) {
	for _, v := range vs {
		w.int(v)
	}
}

func (w *writer) string(s string) {
	w.int(int64(len(s)))
	w.b = append(w.b, s...)
}

// reader reads what writer wrote. After the first error it gives zeros.
type reader struct {
	b   []byte
	err error
}

func (r *reader) fail(format string, args ...any) {
	if r.err == nil {
		r.err = fmt.Errorf(format, args...)
	}
	r.b = nil
}

func (r *reader) int() int64 {
	v, n := binary.Varint(r.b)
	if n <= 0 {
		r.fail("the snapshot ends in the middle")
		return 0
	}
	r.b = r.b[n:]
	return v
}

// upTo reads a number from 0 to most.
func (r *reader) upTo(most int64) int64 {
	v := r.int()
	if v < 0 || v > most {
		r.fail("%d where 0 to %d may stand", v, most)
		return 0
	}
	return v
}

func (r *reader) instant() int64          { return r.upTo(never) }
func (r *reader) duration() time.Duration { return time.Duration(r.upTo(never)) }

// count reads how many things follow, each of a byte at least.
func (r *reader) count() int64 { return r.upTo(int64(len(r.b))) }

func (r *reader) string() string {
	n := r.upTo(int64(len(r.b)))
	if n > int64(len(r.b)) {
		return ""
	}
	s := string(r.b[:n])
	r.b = r.b[n:]
	return s
}

// name reads a string that is short enough to be a name.
func (r *reader) name() string {
	s := r.string()
	if len(s) > maxName {
		r.fail("a name of %d bytes: must be 0 to %d", len(s), maxName)
		return ""
	}
	return s
}
