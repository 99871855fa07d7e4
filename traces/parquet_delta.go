package traces

import (
	"encoding/binary"
	"errors"
	"slices"
)

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
	dst = append(slices.Grow(dst, want), last)
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

// appendDeltas appends n integers, for which dst has room, each least and a packed number of width
// bits more than the one before, which for the first is last.
func appendDeltas(dst []int64, src []byte, width uint, n int, last, least int64) ([]int64, int64) {
	at := len(dst)
	dst = dst[:at+n]
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
	if width <= 57 && len(src) >= 8 {
		// as many as a whole word can be read for
		mask := uint64(1)<<width - 1
		words := src[:len(src)-7]
		i = min(n, (8*len(words)-1)/int(width)+1)
		for j := range out[:i] {
			p := bit >> 3
			last += least + int64(binary.LittleEndian.Uint64(src[p:])>>(bit&7)&mask)
			out[j] = last
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
