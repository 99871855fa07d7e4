package bound

// slider computes minima over windows that slide. The zero slider is ready.
type slider struct {
	index []int32 // a queue of places whose values ascend
}

// fixed sets min[t] to the least of v[t] … v[t+width], for every t; the windows
// end with v.
func (s *slider) fixed(v []float64, width int, min []float64) {
	s.index = s.index[:0]
	head, next := 0, 0
	for t := range v {
		for ; next < len(v) && next <= t+width; next++ {
			for len(s.index) > head && v[s.index[len(s.index)-1]] >= v[next] {
				s.index = s.index[:len(s.index)-1]
			}
			s.index = append(s.index, int32(next))
		}
		if int(s.index[head]) < t {
			head++
		}
		min[t] = v[s.index[head]]
	}
}

// until sets min[t] to the least of v[t] … v[last[t]], where last never
// decreases and last[t] >= t.
func (s *slider) until(v []float64, last []int32, min []float64) {
	s.index = s.index[:0]
	head, next := 0, 0
	for t := range v {
		for ; next < len(v) && next <= int(last[t]); next++ {
			for len(s.index) > head && v[s.index[len(s.index)-1]] >= v[next] {
				s.index = s.index[:len(s.index)-1]
			}
			s.index = append(s.index, int32(next))
		}
		if int(s.index[head]) < t {
			head++
		}
		min[t] = v[s.index[head]]
	}
}
