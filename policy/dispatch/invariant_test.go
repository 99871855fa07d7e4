package dispatch

// invariants checks what holds inside a queue between two calls.
func (r *run) invariants() {
	r.t.Helper()
	q := r.q
	stands := map[int64]int{}
	for i := range q.kinds {
		k := &q.kinds[i]
		for p, l := range k.levels {
			filled := k.filled[p>>6]>>(p&63)&1 == 1
			if filled != (l != nil && len(l.flows) > 0) {
				r.t.Fatalf("%s priority %d: bit %v, but %v", k.name, p, filled, l)
			}
			if l == nil {
				continue
			}
			for pos, f := range l.flows {
				live := 0
				for p := range f.file.items {
					if q.placeCurrent(p) {
						live++
						stands[p.id]++
					}
				}
				if live != f.current || live == 0 || f.heapIndex != pos || l.byTenant[f.tenant] != f {
					r.t.Fatalf("%s priority %d tenant %d: %d live, counted %d; at %d, says %d", k.name, p, f.tenant, live, f.current, pos, f.heapIndex)
				}
				if pos > 0 && f.turn.before(l.flows[(pos-1)/2].turn) {
					r.t.Fatalf("%s priority %d: the heap of flows is out of order", k.name, p)
				}
				if t := (turn{q.servedAt(f.tenant, uint8(p)), q.firstPlace(f)}); t.before(f.turn) {
					r.t.Fatalf("%s priority %d tenant %d: its turn %v is before the one the heap knows, %v", k.name, p, f.tenant, t, f.turn)
				}
			}
			if len(l.flows) != len(l.byTenant) {
				r.t.Fatalf("%s priority %d: %d flows of %d tenants", k.name, p, len(l.flows), len(l.byTenant))
			}
		}
	}
	for i := range q.keys.things {
		for _, p := range q.keys.things[i].parked {
			here := 0
			for _, job := range p.jobs {
				if q.placeCurrent(job) {
					stands[job.id]++
					here++
				}
			}
			inLine := false
			for slot := range q.records.used {
				job := q.records.at(slot)
				inLine = inLine || job.state == Waiting && job.key == int32(i) && job.kind == p.kind && job.priority == p.priority && (p.tenant == job.tenant || p.tenant == 0 && !q.opt.Fair) && !job.has(flagParked)
			}
			if here > 0 && q.keyHasRoom(int32(i)) && !inLine {
				r.t.Fatalf("key %q has room, and %d jobs of %+v beside the line but none in it", q.keys.name[i], here, p)
			}
		}
	}
	for slot := range q.records.used {
		if job := q.records.at(slot); job.state == Waiting && stands[job.id] != 1 {
			r.t.Fatalf("job %d waits in %d places", job.id, stands[job.id])
		}
	}
}

// shares checks that both know what each tenant with waiting jobs had.
func (r *run) shares() {
	r.t.Helper()
	if !r.q.opt.Fair {
		return
	}
	for p := range r.q.clocks {
		if got, want := r.q.clocks[p].now, r.m.clocks[uint8(p)]; got != want {
			r.t.Fatalf("clock of priority %d: %d, want %d", p, got, want)
		}
	}
	for name, i := range r.q.tenants.numberOf {
		for _, a := range r.q.tenants.at(i).accounts {
			who := modelAccount{name, a.priority}
			if n := r.m.waitingOf(who); n != int(a.waiting) {
				r.t.Fatalf("%v has %d jobs waiting, counted %d", who, n, a.waiting)
			}
			if a.waiting > 0 {
				if want := r.m.served[who]; a.served != want {
					r.t.Fatalf("%v was served %d, want %d", who, a.served, want)
				}
			}
		}
	}
}
