package dispatch

// place is where a waiting job stands: 24 bytes. It is good as long as the
// job's record bears the same stamp, so a job leaves the line from anywhere by
// a change of its stamp, and its place is skipped when it comes to the front.
type place struct {
	arrival, id int64
	slot        int32
	stamp       uint32
}

func (p place) before(q place) bool {
	return p.arrival < q.arrival || p.arrival == q.arrival && p.id < q.id
}

// flow is the waiting jobs of one job type, priority and tenant. With fairness
// off all tenants share one.
type flow struct {
	file   file[place]
	live   int   // of which still good
	tenant int32 // 0 with fairness off
	pos    int   // in the level's heap, -1 outside
	turn   turn  // by which the heap is ordered: never after the true one
}

// turn orders flows: who was served less by weight goes first, then whose
// first job is older.
type turn struct {
	served int64
	first  place
}

func (a turn) before(b turn) bool {
	return a.served < b.served || a.served == b.served && a.first.before(b.first)
}

// level is the waiting jobs of one type and priority.
type level struct {
	jobs     int     // waiting, those beside the line for their concurrency key included
	estimate int64   // ns, of those
	flows    []*flow // a heap by turn of the flows that have live jobs
	byTenant map[int32]*flow
}

// flowOf returns the flow of a tenant, making it if there is none.
func (q *Queue) flowOf(l *level, tenant int32) *flow {
	if !q.opt.Fair {
		tenant = 0
	}
	f := l.byTenant[tenant]
	if f == nil {
		if n := len(q.spare); n > 0 {
			f, q.spare = q.spare[n-1], q.spare[:n-1]
		} else {
			f = new(flow)
		}
		f.tenant, f.pos = tenant, -1
		if l.byTenant == nil {
			l.byTenant = make(map[int32]*flow)
		}
		l.byTenant[tenant] = f
	}
	return f
}

// put stands a Waiting job in the line.
func (q *Queue) put(slot int32, r *record) {
	r.stamp++
	r.flags &^= flagParked
	k := &q.kinds[r.kind]
	l := k.level(r.priority)
	f := q.flowOf(l, r.tenant)
	p := place{r.arrival, r.id, slot, r.stamp}
	f.file.insert(p)
	f.live++
	t := turn{q.servedAt(f.tenant, r.priority), p}
	switch {
	case f.pos < 0:
		f.turn, f.pos = t, len(l.flows)
		l.flows = append(l.flows, f)
		l.up(f.pos)
	case t.before(f.turn):
		f.turn = t
		l.up(f.pos)
	}
	k.filled[r.priority>>6] |= 1 << (r.priority & 63)
	if f.file.len() > 2*f.live+64 {
		f.file.keep(q.good)
	}
}

// pull takes a job out of the line, from wherever it stands.
func (q *Queue) pull(r *record) {
	r.stamp++
	k := &q.kinds[r.kind]
	l := k.levels[r.priority]
	f := q.flowOf(l, r.tenant)
	f.live--
	if f.live > 0 {
		if f.file.len() > 2*f.live+64 {
			f.file.keep(q.good)
		}
		return
	}
	l.removeFlow(f.pos)
	delete(l.byTenant, f.tenant)
	if len(q.spare) < 64 && len(f.file.ring) <= fileShrink {
		f.file.head, f.file.tail, f.file.back = 0, 0, f.file.back[:0]
		q.spare = append(q.spare, f)
	}
	if len(l.flows) == 0 {
		k.filled[r.priority>>6] &^= 1 << (r.priority & 63)
	}
}

// good reports whether a place still belongs to the job it was made for.
func (q *Queue) good(p place) bool {
	r := q.records.at(p.slot)
	return r.id == p.id && r.stamp == p.stamp
}

// head returns the first good place of a flow that has live jobs.
func (q *Queue) head(f *flow) place {
	for {
		p := *f.file.first()
		if q.good(p) {
			return p
		}
		f.file.drop()
	}
}

// top returns the flow whose turn it is, nil where no job of the level stands
// in line. A flow's true turn only moves away from the one the heap knows, so
// it is enough to correct whoever comes to the top.
func (q *Queue) top(l *level, priority uint8) *flow {
	for len(l.flows) > 0 {
		f := l.flows[0]
		t := turn{q.servedAt(f.tenant, priority), q.head(f)}
		if t == f.turn {
			return f
		}
		f.turn = t
		l.down(0)
	}
	return nil
}

func (l *level) up(i int) {
	f := l.flows[i]
	for i > 0 {
		parent := (i - 1) / 2
		if !f.turn.before(l.flows[parent].turn) {
			break
		}
		l.set(i, l.flows[parent])
		i = parent
	}
	l.set(i, f)
}

func (l *level) down(i int) {
	f := l.flows[i]
	for {
		child := 2*i + 1
		if child >= len(l.flows) {
			break
		}
		if child+1 < len(l.flows) && l.flows[child+1].turn.before(l.flows[child].turn) {
			child++
		}
		if !l.flows[child].turn.before(f.turn) {
			break
		}
		l.set(i, l.flows[child])
		i = child
	}
	l.set(i, f)
}

func (l *level) set(i int, f *flow) {
	l.flows[i] = f
	f.pos = i
}

func (l *level) removeFlow(i int) {
	last := len(l.flows) - 1
	l.flows[i].pos = -1
	moved := l.flows[last]
	l.flows[last] = nil
	l.flows = l.flows[:last]
	if i < last {
		l.set(i, moved)
		l.down(i)
		l.up(moved.pos)
	}
}
