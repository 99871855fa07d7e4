package bound

// propose draws a change.
func (s *searcher) propose(c *swap) bool {
	*c = swap{at: [2]int{-1, -1}, n: 1}
	if len(s.rents) == 0 || s.rng.IntN(8) == 0 {
		return s.insert(c)
	}
	i := s.rng.IntN(len(s.rents))
	r := s.rents[i]
	c.at[0], c.to[0] = i, r
	if len(s.kinds) > 1 && s.rng.IntN(12) == 0 {
		c.to[0].typ = int32(s.rng.IntN(len(s.kinds)))
		return c.to[0].typ != r.typ
	}
	d := int32(1) << s.rng.IntN(6)
	if s.rng.IntN(2) == 0 {
		d = -d
	}
	if s.window > 0 {
		return s.proposeWindows(c, i, r, d)
	}
	switch s.rng.IntN(6) {
	case 0:
		c.to[0].on += d
	case 1:
		c.to[0].off += d
	case 2:
		c.to[0].on += d
		c.to[0].off += d
	case 3:
		c.del[0] = true
		return true
	case 4: // a pause
		if r.off-r.on < 4 {
			return false
		}
		a := r.on + 1 + s.rng.Int32N(r.off-r.on-2)
		b := a + min(abs32(d)+1, r.off-a-1)
		if b <= a {
			return false
		}
		c.to[0].off = a
		c.n, c.to[1] = 2, rent{r.typ, b, r.off, 1}
	case 5: // no pause before the next one
		j := s.successor(r)
		o := s.rents[j]
		if j == i || o.typ != r.typ || o.on < r.on || o.on > r.off+60 {
			return false
		}
		c.to[0].off = max(r.off, o.off)
		c.n, c.at[1], c.del[1] = 2, j, true
	}
	x := c.to[0]
	return x.on >= 0 && x.off > x.on && x.off <= s.last+64 && x.on < s.last
}

// successor returns the place of a rent that begins near the end of r: the nearest
// of five that are drawn.
func (s *searcher) successor(r rent) int {
	j := s.rng.IntN(len(s.rents))
	for range 4 {
		k := s.rng.IntN(len(s.rents))
		if abs32(s.rents[k].on-r.off) < abs32(s.rents[j].on-r.off) {
			j = k
		}
	}
	return j
}

func abs32(x int32) int32 { return max(x, -x) }

// proposeWindows draws a change of a rent that is paid by the window.
func (s *searcher) proposeWindows(c *swap, i int, r rent, d int32) bool {
	w := s.window
	x := &c.to[0]
	single := r.off-r.on == w
	switch s.rng.IntN(10) {
	case 9:
		x.lead = leads[s.rng.IntN(len(leads))]
		return x.lead != r.lead && x.lead < w
	case 0, 1, 2:
		x.on += d
		x.off += d
	case 3:
		x.off += w
	case 4:
		x.on -= w
	case 5:
		x.off -= w
		c.del[0] = single
	case 6:
		x.on += w
		c.del[0] = single
	case 7: // a window less in the middle
		n := (r.off - r.on) / w
		if n < 3 {
			return false
		}
		k := 1 + s.rng.Int32N(n-2)
		x.off = r.on + k*w
		gap := s.rng.Int32N(w)
		next := rent{r.typ, x.off + gap, x.off + gap + (n-k-1)*w, r.lead}
		c.n, c.to[1] = 2, next
	case 8: // one after another at once
		j := s.successor(r)
		o := s.rents[j]
		if j == i || o.typ != r.typ || abs32(o.on-r.off) > w {
			return false
		}
		x.off = r.off + (o.off - o.on)
		if s.rng.IntN(2) == 0 {
			x.off -= w
		}
		c.n, c.at[1], c.del[1] = 2, j, true
	}
	if c.del[0] {
		return true
	}
	return x.on >= 0 && x.off > x.on && x.on < s.last
}

// insert draws a new rent: where jobs are late, or anywhere.
func (s *searcher) insert(c *swap) bool {
	if s.to <= s.from+1 {
		return false
	}
	at := s.from + s.rng.Int32N(s.to-s.from)
	if len(s.hot) > 0 && s.rng.IntN(4) > 0 {
		at = s.hot[s.rng.IntN(len(s.hot))]
	}
	r := rent{typ: int32(s.rng.IntN(len(s.kinds))), lead: 2}
	if s.window > 0 {
		r.on = at - s.rng.Int32N(s.window)
		r.off = r.on + s.window
	} else {
		r.on = at - 1 - s.rng.Int32N(4)
		r.off = r.on + 1 + int32(1)<<s.rng.IntN(6)
	}
	c.to[0] = r
	return r.on >= 0 && r.on < s.last
}
