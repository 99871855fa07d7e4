package bound

import (
	"math"
	"slices"
)

// guess is who is late in the fluid problem: the running mean of what would be
// cheapest at the prices of every round. Prices and who is late follow from each
// other; each side's answers to what the other did so far, averaged, come to the
// optimum of both, where answering the last move alone goes round in circles.
type guess struct {
	v      *valuer
	class  int       // whose jobs ask for an instance; -1: none
	cells  []int32   // of that class, by step
	late   []float64 // by cell: the share that is late
	absent []float64 // by row: the share that finds no instance
	rounds int

	answer, apart, other, away []float64 // scratch: answers by cell and by row
}

// newGuess returns the guess that nobody is late. The class asks the market for an
// instance unless it is negative.
func newGuess(v *valuer, m *market, class int) *guess {
	q := &guess{v: v, class: class, late: make([]float64, len(v.g.cells))}
	q.answer, q.other = make([]float64, len(v.g.cells)), make([]float64, len(v.g.cells))
	if class >= 0 {
		v.sortsOf(class, func(_ *sort, keys []int32) { q.cells = append(q.cells, keys...) })
		slices.Sort(q.cells) // cells are by step
		room := 0.0
		v.sortsOf(class, func(s *sort, _ []int32) { room = max(room, v.room(s)) })
		m.ask(q.cells, room)
	}
	rows := len(m.rows)
	q.absent, q.apart, q.away = make([]float64, rows), make([]float64, rows), make([]float64, rows)
	return q
}

// learn takes what is cheapest at the prices last charged, of which p is the
// proof, and at the tolls of the rows into the mean.
func (q *guess) learn(p proof, rows []row, tolls []float64) {
	v, g := q.v, q.v.g
	for class := range v.w.cfg.Classes {
		if class == q.class {
			q.answerRows(rows, tolls)
			continue
		}
		theta := p.theta[class]
		low := theta * (1 - 1e-6)
		left, equal := float64(g.budget[class]), 0.0
		v.sortsOf(class, func(_ *sort, keys []int32) {
			for _, k := range keys {
				n := float64(g.cells[k].n)
				switch x := v.gain(k, g.cells[k].work/n); {
				case x > theta:
					left -= n
				case x > low:
					equal += n
				}
			}
		})
		some := 0.0
		if equal > 0 {
			some = min(max(left/equal, 0), 1)
		}
		v.sortsOf(class, func(_ *sort, keys []int32) {
			for _, k := range keys {
				q.answer[k] = 0
				switch x := v.gain(k, g.cells[k].work/float64(g.cells[k].n)); {
				case x > theta:
					q.answer[k] = 1
				case x > low:
					q.answer[k] = some
				}
			}
		})
	}
	q.rounds++
	weight := 2 / float64(q.rounds+2)
	mix(q.late, q.answer, weight)
	mix(q.absent, q.apart, weight)
}

// mix moves a towards b by a share of what lies between.
func mix(a, b []float64, share float64) {
	for i, x := range b {
		a[i] += float64(share * (x - a[i]))
	}
}

// answerRows finds who is late of the class that asks for an instance: as many
// as may be.
func (q *guess) answerRows(rows []row, tolls []float64) {
	budget := float64(q.v.g.budget[q.class])
	few := q.respond(0, rows, tolls, q.answer, q.apart)
	if few <= budget {
		return
	}
	lo, hi := 0.0, q.v.w.price
	for few = math.Inf(1); few > budget && hi < 1e9; hi *= 2 {
		lo = hi
		few = q.respond(2*hi, rows, tolls, q.answer, q.apart)
	}
	for range 30 {
		mid := (lo + hi) / 2
		if q.respond(mid, rows, tolls, q.answer, q.apart) > budget {
			lo = mid
		} else {
			hi = mid
		}
	}
	few = q.respond(hi, rows, tolls, q.answer, q.apart)
	many := q.respond(lo, rows, tolls, q.other, q.away)
	if many <= budget || few > budget {
		return
	}
	share := (budget - few) / (many - few)
	for _, k := range q.cells {
		q.answer[k] += float64(share * (q.other[k] - q.answer[k]))
	}
	mix(q.apart, q.away, share)
}

// respond tells who is late if being late costs theta: whoever pays less so, and
// all of a row that would pay more for being in time than its toll. It returns
// how many that are.
func (q *guess) respond(theta float64, rows []row, tolls, late, absent []float64) float64 {
	v, g := q.v, q.v.g
	count := 0.0
	one := func(k int32) (n, more float64) {
		n = float64(g.cells[k].n)
		more = theta - v.gain(k, g.cells[k].work/n)
		late[k] = 0
		if more < 0 {
			late[k] = 1
			count += n
		}
		return n, max(more, 0)
	}
	at := int32(0)
	for i := range rows {
		r := &rows[i]
		for ; at < r.from; at++ {
			one(q.cells[at])
		}
		before, loss, all := count, 0.0, 0.0
		for ; at < r.to; at++ {
			n, more := one(q.cells[at])
			loss += float64(n * more)
			all += n
		}
		absent[i] = 0
		if loss < tolls[i] {
			absent[i] = 1
			for _, k := range q.cells[r.from:r.to] {
				late[k] = 1
			}
			count = before + all
		}
	}
	for ; at < int32(len(q.cells)); at++ {
		one(q.cells[at])
	}
	return count
}
