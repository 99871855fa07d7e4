package dispatch

// place is where a waiting job stands: 24 bytes. It is current as long as the job's
// record bears the same stamp, so a job leaves the line from anywhere by a change of its
// stamp, and its place is skipped when it comes to the front.
type place struct {
	arrival, id int64
	slot        int32
	stamp       uint32
}

func (p place) before(q place) bool {
	return p.arrival < q.arrival || p.arrival == q.arrival && p.id < q.id
}

// spareFlowsMost is how many flows are kept to be used again.
const spareFlowsMost = 64

// flow is the waiting jobs of one job type, priority and tenant. With fairness off all
// tenants share one.
type flow struct {
	file      file[place]
	current   int   // places in file that are current
	tenant    int32 // 0 with fairness off
	heapIndex int   // in the level's heap, -1 outside
	turn      turn  // by which the heap is ordered: never after the true one
}

// turn orders flows: first the one whose tenant was served less by weight, then the one
// whose first job is older.
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
		if n := len(q.spareFlows); n > 0 {
			f, q.spareFlows = q.spareFlows[n-1], q.spareFlows[:n-1]
		} else {
			f = new(flow)
		}
		f.tenant, f.heapIndex = tenant, -1
		if l.byTenant == nil {
			l.byTenant = make(map[int32]*flow)
		}
		l.byTenant[tenant] = f
	}
	return f
}

// joinLine puts a Waiting job at its place in the line.
func (q *Queue) joinLine(slot int32, r *record) {
	r.stamp++
	r.flags &^= flagParked
	k := &q.kinds[r.kind]
	l := k.level(r.priority)
	f := q.flowOf(l, r.tenant)
	p := place{r.arrival, r.id, slot, r.stamp}
	f.file.insert(p)
	f.current++
	t := turn{q.servedAt(f.tenant, r.priority), p}
	switch {
	case f.heapIndex < 0:
		f.turn, f.heapIndex = t, len(l.flows)
		l.flows = append(l.flows, f)
		l.siftUp(f.heapIndex)
	case t.before(f.turn):
		f.turn = t
		l.siftUp(f.heapIndex)
	}
	k.filled[r.priority>>6] |= 1 << (r.priority & 63)
	if f.file.len() > staleFactor*f.current+staleSlack {
		f.file.filter(q.placeCurrent)
	}
}

// quitLine takes a job out of the line, from wherever it stands.
func (q *Queue) quitLine(r *record) {
	r.stamp++
	k := &q.kinds[r.kind]
	l := k.levels[r.priority]
	f := q.flowOf(l, r.tenant)
	f.current--
	if f.current > 0 {
		if f.file.len() > staleFactor*f.current+staleSlack {
			f.file.filter(q.placeCurrent)
		}
		return
	}
	l.removeFlow(f.heapIndex)
	delete(l.byTenant, f.tenant)
	if len(q.spareFlows) < spareFlowsMost && len(f.file.ring) <= fileShrink {
		f.file.head, f.file.tail, f.file.late = 0, 0, f.file.late[:0]
		q.spareFlows = append(q.spareFlows, f)
	}
	if len(l.flows) == 0 {
		k.filled[r.priority>>6] &^= 1 << (r.priority & 63)
	}
}

// placeCurrent reports whether a place still belongs to the job it was made for.
func (q *Queue) placeCurrent(p place) bool {
	r := q.records.at(p.slot)
	return r.id == p.id && r.stamp == p.stamp
}

// firstPlace returns the first current place of a flow, which has one.
func (q *Queue) firstPlace(f *flow) place {
	for {
		p := *f.file.first()
		if q.placeCurrent(p) {
			return p
		}
		f.file.drop()
	}
}

// nextFlow returns the flow of a level whose turn it is, nil where no job stands in line.
// A flow's true turn only moves away from the one the heap knows, so it is enough to
// correct the flow that comes to the top.
func (q *Queue) nextFlow(l *level, priority uint8) *flow {
	for len(l.flows) > 0 {
		f := l.flows[0]
		t := turn{q.servedAt(f.tenant, priority), q.firstPlace(f)}
		if t == f.turn {
			return f
		}
		f.turn = t
		l.siftDown(0)
	}
	return nil
}

// siftUp moves the flow at an index towards the front of the heap, to its place.
func (l *level) siftUp(i int) {
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

// siftDown moves the flow at an index towards the end of the heap, to its place.
func (l *level) siftDown(i int) {
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

// set puts a flow at an index of the heap.
func (l *level) set(i int, f *flow) {
	l.flows[i] = f
	f.heapIndex = i
}

// removeFlow takes the flow at an index out of the heap.
func (l *level) removeFlow(i int) {
	last := len(l.flows) - 1
	l.flows[i].heapIndex = -1
	moved := l.flows[last]
	l.flows[last] = nil
	l.flows = l.flows[:last]
	if i < last {
		l.set(i, moved)
		l.siftDown(i)
		l.siftUp(moved.heapIndex)
	}
}
