package dispatch

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// waiting is a job as a dumb line keeps it.
type waiting struct {
	Job
	priority uint8
}

func (a waiting) compare(b waiting) int {
	switch {
	case a.priority != b.priority:
		return int(a.priority) - int(b.priority)
	case a.Job.before(b.Job):
		return -1
	case b.Job.before(a.Job):
		return 1
	}
	return 0
}

// TestLineAgainstSlice does random things to a line and to a slice that is
// sorted after each of them.
func TestLineAgainstSlice(t *testing.T) {
	for seed := range uint64(8) {
		t.Run(fmt.Sprint("seed=", seed), func(t *testing.T) {
			g := rand.New(rand.NewPCG(seed, 3))
			var l Line
			var dumb, popped []waiting
			put := func(w waiting) {
				i, _ := slices.BinarySearchFunc(dumb, w, waiting.compare)
				dumb = slices.Insert(dumb, i, w)
			}
			var arrival, id int64
			depth := 1 + g.IntN(3000) // every line grows to its own depth and shrinks again
			for step := range 12_000 {
				fill := 5
				if step%(4*depth) < 2*depth {
					fill = 9
				}
				switch n := g.IntN(20); {
				case n < fill:
					arrival += int64(g.IntN(2))
					w := waiting{Job{ID: id, Arrival: arrival, Work: g.Int64(), Estimate: g.Int64(), Kind: uint16(g.Uint32()), Attempt: uint16(g.Uint32())}, uint8(g.IntN(5) * 60)}
					id++
					if g.IntN(2) == 0 {
						l.Push(w.priority, w.Job)
					} else {
						*l.Append(w.priority) = w.Job
					}
					put(w)
				case n < 14:
					j, p, ok := pop(&l, g.IntN(2) == 0)
					if ok != (len(dumb) > 0) || ok && (waiting{j, p}) != dumb[0] {
						t.Fatalf("step %d: popped %v %d %v, want the first of %v", step, j, p, ok, dumb[:min(3, len(dumb))])
					}
					if ok {
						popped = append(popped, dumb[0])
						dumb = dumb[1:]
					}
				case n < 17 && len(popped) > 0:
					i := g.IntN(len(popped))
					w := popped[i]
					popped = slices.Delete(popped, i, i+1)
					l.Return(w.priority, w.Job)
					put(w)
				case n < 18 && len(dumb) > 0:
					i := g.IntN(len(dumb))
					w := dumb[i]
					if j, ok := l.Remove(w.priority, w.Arrival, w.ID); !ok || j != w.Job {
						t.Fatalf("step %d: removed %v %v, want %v", step, j, ok, w)
					}
					dumb = slices.Delete(dumb, i, i+1)
				case n < 19:
					if j, ok := l.Remove(uint8(g.IntN(256)), arrival, id+5); ok {
						t.Fatalf("step %d: removed %v, which never was", step, j)
					}
				default:
					for i := range popped {
						if g.IntN(2) == 0 {
							popped[i] = popped[len(popped)-1]
							popped = popped[:len(popped)-1]
							break
						}
					}
				}
				if step%200 == 0 {
					checkLine(t, &l, dumb)
				}
			}
			checkLine(t, &l, dumb)
		})
	}
}

// pop takes the first job out of a line, at once or where it stands.
func pop(l *Line, atOnce bool) (Job, uint8, bool) {
	if atOnce {
		return l.Pop()
	}
	first, p := l.First()
	if first == nil {
		return Job{}, 0, false
	}
	j := *first
	l.Drop(p)
	return j, p, true
}

func checkLine(t *testing.T, l *Line, want []waiting) {
	t.Helper()
	var got []waiting
	for p, j := range l.Each {
		got = append(got, waiting{*j, p})
	}
	if !slices.Equal(got, want) {
		t.Fatalf("the line holds %v, want %v", got, want)
	}
	if l.Len() != len(want) {
		t.Fatalf("Len = %d, want %d", l.Len(), len(want))
	}
	if j, p, ok := l.Peek(); ok != (len(want) > 0) || ok && (waiting{j, p}) != want[0] {
		t.Fatalf("Peek = %v %d %v", j, p, ok)
	}
}

// A line of a steady depth allocates nothing, even when jobs return.
func TestLineDoesNotAllocate(t *testing.T) {
	var l Line
	id := int64(0)
	for range 10_000 {
		l.Push(uint8(id&3), Job{ID: id, Arrival: id})
		id++
	}
	step := func() {
		l.Push(uint8(id&3), Job{ID: id, Arrival: id})
		id++
		j, p, _ := l.Pop()
		l.Return(p, j)
		l.Pop()
	}
	for range 50_000 { // until the priorities' shares have settled
		step()
	}
	if n := testing.AllocsPerRun(20_000, step); n > 0 {
		t.Errorf("%v allocations a job", n)
	}
}

// A line that was a million deep does not keep the room for a million.
func TestLineGivesMemoryBack(t *testing.T) {
	var l Line
	room := func() int { return len(l.files[7].ring) + cap(l.files[7].late) }
	for id := range int64(1 << 20) {
		l.Push(7, Job{ID: id, Arrival: id})
	}
	full := room()
	for range 1<<20 - 100 {
		l.Pop()
	}
	if got := room(); got > 8*fileShrink {
		t.Errorf("with 100 jobs left there is room for %d, of %d", got, full)
	}
	// The same when all of them had come back.
	for id := int64(1 << 20); id > 0; id-- {
		l.Return(7, Job{ID: -id, Arrival: -1})
	}
	for l.Len() > 100 {
		l.Pop()
	}
	if got := room(); got > 8*fileShrink {
		t.Errorf("with 100 jobs left there is room for %d", got)
	}
}
