package traces

import (
	"encoding/binary"
	"errors"
	"slices"
)

// runs decodes Parquet's hybrid of run lengths and packed bits: dictionary
// indices and definition levels. Its zero value yields nothing.
type runs struct {
	b     []byte
	width uint
	// the run under way: left values, all equal to value, or packed from bit
	left   int
	packed bool
	value  uint32
	bit    uint
	bits   []byte // of a packed run
}

var errRuns = errors.New("damaged run lengths")

// next decodes as many values as dst holds.
func (r *runs) next(dst []uint32) error {
	for len(dst) > 0 {
		if r.left == 0 {
			if err := r.begin(); err != nil {
				return err
			}
		}
		n := min(r.left, len(dst))
		part := dst[:n]
		if r.packed {
			r.unpack(part)
		} else {
			for i := range part {
				part[i] = r.value
			}
		}
		r.left -= n
		dst = dst[n:]
	}
	return nil
}

// begin reads the head of the next run.
func (r *runs) begin() error {
	head, n := binary.Uvarint(r.b)
	if n <= 0 || head>>1 == 0 {
		return errRuns
	}
	r.b = r.b[n:]
	bytes := int(r.width+7) / 8
	if head&1 == 0 {
		if len(r.b) < bytes || head>>1 > pageValuesMax {
			return errRuns
		}
		r.value = 0
		for i := range bytes {
			r.value |= uint32(r.b[i]) << (8 * i)
		}
		if r.width < 32 && r.value>>r.width != 0 {
			return errRuns
		}
		r.b = r.b[bytes:]
		r.left, r.packed = int(head>>1), false
		return nil
	}
	groups := head >> 1
	if r.width == 0 {
		if groups > pageValuesMax/8 {
			return errRuns
		}
		r.left, r.packed, r.value = int(groups)*8, false, 0
		return nil
	}
	// the last group may be cut short by writers that do not pad
	size := min(groups*uint64(r.width), uint64(len(r.b)))
	if groups > pageValuesMax/8 || size == 0 {
		return errRuns
	}
	r.bits, r.b = r.b[:size], r.b[size:]
	r.left, r.packed, r.bit = min(int(groups)*8, int(size*8/uint64(r.width))), true, 0
	return nil
}

// unpack decodes values of a packed run.
func (r *runs) unpack(dst []uint32) {
	mask := uint64(1)<<r.width - 1
	bit, width := r.bit, r.width
	i := 0
	if width <= 8 && bit&7 == 0 {
		// eight values at a time, out of one word
		for ; i+8 <= len(dst) && int(bit>>3)+8 <= len(r.bits); i += 8 {
			word := binary.LittleEndian.Uint64(r.bits[bit>>3:])
			out := dst[i : i+8 : i+8]
			out[0] = uint32(word & mask)
			// the & 63 tells the compiler that no shift is too far
			out[1] = uint32(word >> (width & 63) & mask)
			out[2] = uint32(word >> (2 * width & 63) & mask)
			out[3] = uint32(word >> (3 * width & 63) & mask)
			out[4] = uint32(word >> (4 * width & 63) & mask)
			out[5] = uint32(word >> (5 * width & 63) & mask)
			out[6] = uint32(word >> (6 * width & 63) & mask)
			out[7] = uint32(word >> (7 * width & 63) & mask)
			bit += 8 * width
		}
	}
	for fast := len(r.bits) - 8; i < len(dst); i++ {
		at := int(bit >> 3)
		if at > fast {
			break
		}
		dst[i] = uint32(binary.LittleEndian.Uint64(r.bits[at:at+8]) >> (bit & 7) & mask)
		bit += width
	}
	for ; i < len(dst); i++ {
		var word [8]byte
		copy(word[:], r.bits[bit>>3:])
		dst[i] = uint32(binary.LittleEndian.Uint64(word[:]) >> (bit & 7) & mask)
		bit += width
	}
	r.bit = bit
}

// appendRuns appends values, each of at most width bits, in the hybrid
// encoding: long runs as such, the rest packed.
func appendRuns(dst []byte, values []uint32, width uint) []byte {
	for i := 0; i < len(values); {
		run := i + 1
		for run < len(values) && values[run] == values[i] {
			run++
		}
		if run-i >= 16 || run == len(values) && run-i >= 8 {
			dst = binary.AppendUvarint(dst, uint64(run-i)<<1)
			for b := uint(0); b < width; b += 8 {
				dst = append(dst, byte(values[i]>>b))
			}
			i = run
			continue
		}
		// pack groups of eight until a long run begins on a group's border
		end := i
		for end < len(values) && end-i < 8*63 {
			if end+16 <= len(values) && allEqual(values[end:end+16]) {
				break
			}
			end += 8
		}
		groups := (end - i) / 8
		dst = binary.AppendUvarint(dst, uint64(groups)<<1|1)
		var word uint64
		filled := uint(0)
		for j := i; j < end; j++ {
			if j < len(values) {
				word |= uint64(values[j]) << filled
			}
			filled += width
			for filled >= 8 {
				dst = append(dst, byte(word))
				word >>= 8
				filled -= 8
			}
		}
		i = min(end, len(values))
	}
	return dst
}

func allEqual(values []uint32) bool {
	for _, v := range values[1:] {
		if v != values[0] {
			return false
		}
	}
	return true
}

var errDelta = errors.New("damaged delta encoding")

// decodeDelta decodes want integers of Parquet's delta encoding from src and
// appends them to dst. rest is what follows them in src.
func decodeDelta(dst []int64, src []byte, want int) (all []int64, rest []byte, err error) {
	uvarint := func() uint64 {
		v, n := binary.Uvarint(src)
		if n <= 0 {
			src = nil
			return 1 << 63
		}
		src = src[n:]
		return v
	}
	zigzag := func() int64 {
		v := uvarint()
		return int64(v>>1) ^ -int64(v&1)
	}
	block, minis, total := uvarint(), uvarint(), uvarint()
	last := zigzag()
	if src == nil || block == 0 || block%128 != 0 || block > 1<<20 || minis == 0 || minis > block || block%minis != 0 || (block/minis)%32 != 0 {
		return dst, nil, errDelta
	}
	if total != uint64(want) {
		return dst, nil, errDelta
	}
	if want == 0 {
		return dst, src, nil
	}
	dst = append(dst, last)
	for left := want - 1; left > 0; {
		least := zigzag()
		if uint64(len(src)) < minis {
			return dst, nil, errDelta
		}
		widths := src[:minis]
		src = src[minis:]
		for _, width := range widths {
			if left == 0 {
				break
			}
			n := int(block / minis)
			bytes := n / 8 * int(width)
			if width > 64 || n*int(width) > 8*len(src) && min(n, left)*int(width) > 8*len(src) {
				return dst, nil, errDelta
			}
			take := min(n, left)
			dst, last = appendDeltas(dst, src, uint(width), take, last, least)
			src = src[min(bytes, len(src)):]
			left -= take
		}
	}
	return dst, src, nil
}

// appendDeltas appends n integers, each least and a packed number of width
// bits more than the one before, which for the first is last.
func appendDeltas(dst []int64, src []byte, width uint, n int, last, least int64) ([]int64, int64) {
	at := len(dst)
	dst = slices.Grow(dst, n)[:at+n]
	out := dst[at:]
	if width == 0 {
		for i := range out {
			last += least
			out[i] = last
		}
		return dst, last
	}
	bit := uint(0)
	i := 0
	if width <= 57 {
		mask := uint64(1)<<width - 1
		for fast := len(src) - 8; i < n; i++ {
			p := int(bit >> 3)
			if p > fast {
				break
			}
			last += least + int64(binary.LittleEndian.Uint64(src[p:p+8])>>(bit&7)&mask)
			out[i] = last
			bit += width
		}
	}
	for ; i < n; i++ {
		var word [16]byte
		copy(word[:], src[bit>>3:])
		lo, hi := binary.LittleEndian.Uint64(word[:]), binary.LittleEndian.Uint64(word[8:])
		v := lo >> (bit & 7)
		if s := bit & 7; s > 0 {
			v |= hi << (64 - s)
		}
		if width < 64 {
			v &= 1<<width - 1
		}
		last += least + int64(v)
		out[i] = last
		bit += width
	}
	return dst, last
}

// Blocks of the delta encoding as this package writes it.
const (
	deltaBlock = 128
	deltaMini  = 32
)

// appendDelta appends values in Parquet's delta encoding.
func appendDelta(dst []byte, values []int64) []byte {
	dst = binary.AppendUvarint(dst, deltaBlock)
	dst = binary.AppendUvarint(dst, deltaBlock/deltaMini)
	dst = binary.AppendUvarint(dst, uint64(len(values)))
	if len(values) == 0 {
		return binary.AppendVarint(dst, 0)
	}
	dst = binary.AppendVarint(dst, values[0])
	last := values[0]
	var deltas [deltaBlock]int64
	for rest := values[1:]; len(rest) > 0; {
		n := min(len(rest), deltaBlock)
		least := int64(1<<63 - 1)
		for i, v := range rest[:n] {
			deltas[i] = v - last
			last = v
			least = min(least, deltas[i])
		}
		dst = binary.AppendVarint(dst, least)
		var widths [deltaBlock / deltaMini]uint
		for m := range widths {
			var all uint64
			for i := m * deltaMini; i < min((m+1)*deltaMini, n); i++ {
				all |= uint64(deltas[i] - least)
			}
			for all>>widths[m] != 0 && widths[m] < 64 {
				widths[m]++
			}
			dst = append(dst, byte(widths[m]))
		}
		for m, width := range widths {
			if m*deltaMini >= n {
				break
			}
			dst = appendPacked(dst, deltas[m*deltaMini:min((m+1)*deltaMini, n)], least, width)
		}
		rest = rest[n:]
	}
	return dst
}

// appendPacked appends a miniblock: what each delta has above least, in width
// bits, filled up with zeros.
func appendPacked(dst []byte, deltas []int64, least int64, width uint) []byte {
	size := deltaMini * int(width) / 8
	start := len(dst)
	dst = append(dst, make([]byte, size)...)
	out := dst[start:]
	bit := uint(0)
	for _, d := range deltas {
		v := uint64(d - least)
		for left := width; left > 0; {
			free := 8 - bit&7
			out[bit>>3] |= byte(v << (bit & 7))
			take := min(free, left)
			v >>= take
			bit += take
			left -= take
		}
	}
	return dst
}
