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

	"github.com/skynet-ec2/skynet/policy/packed"
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
	w := packed.Writer{B: append(b, snapshotMagic...)}
	o := q.opt
	w.Ints(int64(o.Epoch), int64(o.LeaseTTL), int64(o.ConfirmWithin), int64(o.RememberFor), int64(o.KeyFor),
		int64(o.AttemptsMax), int64(o.LossesMax), int64(o.BackoffBase), int64(o.BackoffMax),
		int64(o.Seed), int64(o.KeyLimit), flag(o.Fair), int64(o.AgeStep))
	w.Ints(q.now, q.nextID)
	w.Ints(q.totals.all()...)

	w.Ints(int64(len(q.kinds)))
	for i := range q.kinds {
		k := &q.kinds[i]
		w.Strings(k.name)
		w.Ints(flag(k.paused), int64(k.limit.Running), int64(k.limit.Every), int64(k.limit.Burst), k.bucketFullAt)
	}

	workers := q.workers.sorted(func(*worker) bool { return true })
	w.Ints(int64(len(workers)))
	for _, i := range workers {
		w.Strings(q.workers.name[i])
		w.Ints(q.workers.at(i).until, q.workers.at(i).checkAt)
	}

	keys := q.keys.sorted(func(k *key) bool { return k.limit > 0 })
	w.Ints(int64(len(keys)))
	for _, i := range keys {
		w.Strings(q.keys.name[i])
		w.Ints(int64(q.keys.at(i).limit))
	}

	q.appendTenants(&w)
	q.appendJobs(&w)

	n := q.idemEnded.len()
	w.Ints(int64(n))
	for e := range q.idemEnded.items {
		w.Strings(e.key)
		w.Ints(q.idemKeys[e.key].job, e.at)
	}
	return appendChecksum(w.B, start)
}

func appendChecksum(b []byte, from int) []byte {
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b[from:], castagnoli))
}

func (q *Queue) appendTenants(w *packed.Writer) {
	// The tenant without a name counts among the others.
	tenants := append([]int32{0}, q.tenants.sorted(func(t *tenant) bool { return t.jobs > 0 || t.given || q.tenantAhead(t) })...)
	w.Ints(int64(len(tenants)))
	for _, i := range tenants {
		t := q.tenants.at(i)
		w.Strings(q.tenants.name[i])
		w.Ints(t.weight, flag(t.given))
		accounts := slices.Clone(t.accounts)
		slices.SortFunc(accounts, func(a, b account) int { return int(a.priority) - int(b.priority) })
		w.Ints(int64(len(accounts)))
		for _, a := range accounts {
			w.Ints(int64(a.priority), a.served)
		}
	}
	var used []int
	for p := range q.clocks {
		if q.clocks[p].now != 0 {
			used = append(used, p)
		}
	}
	w.Ints(int64(len(used)))
	for _, p := range used {
		w.Ints(int64(p), q.clocks[p].now)
	}
}

func (q *Queue) appendJobs(w *packed.Writer) {
	// Ended jobs stand in the order in which they are forgotten, the others
	// after them by id.
	slots := make([]int32, 0, q.records.index.Len())
	for t := range q.ended.items {
		slots = append(slots, t.slot)
	}
	for _, slot := range q.byID() {
		if s := q.records.at(slot).state; s != Done && s != Cancelled {
			slots = append(slots, slot)
		}
	}
	w.Ints(int64(len(slots)))
	for _, slot := range slots {
		r := q.records.at(slot)
		w.Ints(r.id, int64(r.kind), int64(r.priority), int64(r.state), int64(r.token), r.arrival, r.estimate, r.maxRun,
			int64(r.attempts), int64(r.attempt), int64(r.failures), int64(r.losses), int64(r.endedBy()), flag(r.has(flagCancel)), r.when)
		w.Strings(q.tenants.name[r.tenant])
		w.Strings(q.keys.name[r.key])
		if r.has(flagKeyed) {
			w.Strings(q.idemOf[r.id])
		} else {
			w.Strings("")
		}
		if r.state == Leased {
			l := q.leases.at(r.lease)
			w.Strings(q.workers.at(l.worker).name)
			w.Ints(l.started, l.seen)
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
	body, err := bodyOf(b)
	if err != nil {
		return nil, err
	}
	r := &reader{packed.NewReader(body)}
	o := r.options()
	if epoch != 0 {
		if epoch < o.Epoch {
			return nil, fmt.Errorf("epoch %d: the snapshot is of epoch %d", epoch, o.Epoch)
		}
		o.Epoch = epoch
	}
	if r.Err() != nil {
		return nil, r.Err()
	}
	q, err := New(o)
	if err != nil {
		return nil, err
	}
	q.now = r.instant()
	nextID := r.instant()
	for _, t := range q.totals.fields() {
		*t = r.Int()
	}
	if err := q.restoreKinds(r); err != nil {
		return nil, err
	}
	if err := q.restoreWorkers(r); err != nil {
		return nil, err
	}
	for n := r.Count(); n > 0 && r.Err() == nil; n-- {
		if err := q.SetKeyLimit(r.String(), int(r.Int())); err != nil {
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
	if err := q.restoreIdempotency(r); err != nil {
		return nil, err
	}
	if err := r.End(); err != nil {
		return nil, err
	}
	if nextID < q.nextID {
		return nil, fmt.Errorf("next id %d: there is a job %d", nextID, q.nextID-1)
	}
	q.nextID = nextID
	return q, nil
}

// bodyOf returns what stands between a snapshot's magic and its checksum.
func bodyOf(b []byte) ([]byte, error) {
	if len(b) < len(snapshotMagic)+4 || string(b[:len(snapshotMagic)]) != snapshotMagic {
		return nil, errors.New("not a snapshot")
	}
	body := b[:len(b)-4]
	if want, got := binary.LittleEndian.Uint32(b[len(body):]), crc32.Checksum(body, castagnoli); want != got {
		return nil, fmt.Errorf("checksum %08x, computed %08x: the snapshot is damaged", want, got)
	}
	return body[len(snapshotMagic):], nil
}

// options reads the options of a queue, in the order in which Snapshot writes them.
func (r *reader) options() Options {
	return Options{
		Epoch: uint32(r.UpTo(math.MaxUint32)), LeaseTTL: r.duration(), ConfirmWithin: r.duration(), RememberFor: r.duration(), KeyFor: r.duration(),
		AttemptsMax: int(r.Int()), LossesMax: int(r.Int()), BackoffBase: r.duration(), BackoffMax: r.duration(),
		Seed: uint64(r.Int()), KeyLimit: int(r.Int()), Fair: r.UpTo(1) == 1, AgeStep: r.duration(),
	}
}

func (q *Queue) restoreKinds(r *reader) error {
	for n := r.Count(); n > 0 && r.Err() == nil; n-- {
		number, err := q.kindNumber(r.String())
		if err != nil {
			return err
		}
		if int(number) != len(q.kinds)-1 {
			return fmt.Errorf("type %q twice", q.kinds[number].name)
		}
		paused := r.UpTo(1) == 1
		l := Limit{Running: int(r.Int()), Every: r.duration(), Burst: int(r.Int())}
		if err := q.SetLimit(q.kinds[number].name, l); err != nil {
			return err
		}
		q.kinds[number].paused, q.kinds[number].bucketFullAt = paused, r.instant()
	}
	return nil
}

func (q *Queue) restoreWorkers(r *reader) error {
	for n := r.Count(); n > 0 && r.Err() == nil; n-- {
		i, err := q.heardFrom(r.String())
		if err != nil {
			return err
		}
		w := q.workers.at(i)
		w.until, w.checkAt = r.instant(), r.instant()
	}
	q.silenceChecks = q.silenceChecks[:0]
	for i := range q.workers.things[1:] {
		w := &q.workers.things[i+1]
		q.silenceChecks.push(silenceCheck{w.checkAt, w.name, int32(i + 1)})
	}
	return nil
}

func (q *Queue) restoreIdempotency(r *reader) error {
	for n := r.Count(); n > 0 && r.Err() == nil; n-- {
		key, job, at := r.String(), r.instant(), r.instant()
		if _, taken := q.idemKeys[key]; taken || len(key) == 0 || len(key) > maxName {
			return fmt.Errorf("idempotency key %q: empty, too long or taken", key)
		}
		q.idemKeys[key] = idemEntry{job, true}
		q.idemEnded.insert(idemExpiry{at, key})
	}
	return nil
}

func (q *Queue) restoreTenants(r *reader) (clocks [256]int64, err error) {
	for n := r.Count(); n > 0 && r.Err() == nil; n-- {
		t := q.tenants.at(q.tenants.number(r.name(), q.newTenant))
		t.weight, t.given = max(1, r.UpTo(WeightMax)), r.UpTo(1) == 1
		accounts := r.Count()
		if accounts > 256 {
			return clocks, fmt.Errorf("a tenant with %d accounts: must be 0 to 256", accounts)
		}
		for ; accounts > 0 && r.Err() == nil; accounts-- {
			t.account(uint8(r.UpTo(255))).served = r.instant()
		}
	}
	for n := r.Count(); n > 0 && r.Err() == nil; n-- {
		p := r.UpTo(255)
		clocks[p] = r.instant()
	}
	return clocks, r.Err()
}

func (q *Queue) restoreJobs(r *reader) error {
	for n := r.Count(); n > 0; n-- {
		s := Stored{ID: r.instant()}
		kind := r.UpTo(maxKinds)
		s.Priority, s.State, s.Token = uint8(r.UpTo(255)), State(r.UpTo(int64(states)-1)), Token(r.Int())
		s.RunAt, s.Estimate, s.MaxRun = r.instant(), r.duration(), r.duration()
		s.AttemptsMax, s.Attempts, s.Failures, s.Losses = int(r.UpTo(maxAttempts)), int(r.UpTo(maxAttempts)), int(r.UpTo(maxAttempts)), int(r.UpTo(maxLosses))
		s.EndedBy = endedBy[r.UpTo(int64(endings)-1)]
		s.Cancelling = r.UpTo(1) == 1
		s.Due = r.instant()
		s.Since = s.Due
		s.Tenant, s.ConcurrencyKey, s.IdempotencyKey = r.name(), r.name(), r.name()
		if s.State == Leased {
			s.Worker, s.Started, s.Seen = r.name(), r.instant(), r.instant()
		}
		if r.Err() != nil {
			return r.Err()
		}
		if kind >= int64(len(q.kinds)) {
			return fmt.Errorf("job %d of type number %d of %d", s.ID, kind, len(q.kinds))
		}
		s.Type = q.kinds[kind].name
		if s.State == Leased && q.workers.numberOf[s.Worker] == 0 {
			return fmt.Errorf("job %d leased to %q, who is not there", s.ID, s.Worker)
		}
		if err := q.Load(s); err != nil {
			return err
		}
	}
	return r.Err()
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
func (n *numbered[T]) sorted(wanted func(*T) bool) []int32 {
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

// reader reads a snapshot.
type reader struct{ packed.Reader }

func (r *reader) instant() int64          { return r.UpTo(never) }
func (r *reader) duration() time.Duration { return time.Duration(r.UpTo(never)) }

// name reads a string that is short enough to be a name.
func (r *reader) name() string {
	s := r.String()
	if len(s) > maxName {
		r.Fail("a name of %d bytes: must be 0 to %d", len(s), maxName)
		return ""
	}
	return s
}
