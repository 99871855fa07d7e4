package baseline

import "math"

// tautString spreads work over steps: it returns, in the space of into, how much
// is done in each of them. due and arrived are cumulative: what must be done by the
// end of a step and what can be by then, due never above arrived and neither ever
// falling. In the end all that is due is done, and nothing else.
//
// The cumulative work done is the shortest line between the two, a string pulled
// taut: of all ways to do the work it has the lowest peak and changes pace the
// least.
//
// Properties:
//   - after each step what is due is done, and no more than has arrived
//   - no step's work is negative
//   - the highest step is as low as any way has it, and so is the sum of all rises
//     from one step to the next, from nothing on
func tautString(into, due, arrived []float64) []float64 {
	n, into := len(due), into[:0]
	done := 0.0
	for from := 0; from < n; {
		low, high := math.Inf(-1), math.Inf(1)
		lowAt, highAt := from, from // the steps after which the string touches
		end, upTo := -1, 0.0
		for j := from; j < n && end < 0; j++ {
			width := float64(j + 1 - from)
			a, d := (arrived[j]-done)/width, (due[j]-done)/width
			if j == n-1 {
				a = d
			}
			switch {
			case d > high:
				end, upTo = highAt, arrived[highAt]
			case a < low:
				end, upTo = lowAt, due[lowAt]
			case j == n-1:
				end, upTo = j, due[j]
			}
			if d >= low {
				low, lowAt = d, j
			}
			if a <= high {
				high, highAt = a, j
			}
		}
		each := max(0, upTo-done) / float64(end+1-from)
		for range end + 1 - from {
			into = append(into, each)
		}
		done, from = upTo, end+1
	}
	return into
}
