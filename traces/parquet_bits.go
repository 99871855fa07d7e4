package traces

import (
	"encoding/binary"
	"errors"
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

// runMin is the shortest run that appendRuns writes as one: switching between
// runs and packed bits costs the reader more than the bits of a shorter one.
const runMin = 64

// appendRuns appends values, each of at most width bits, in the hybrid
// encoding: long runs as such, the rest packed.
func appendRuns(dst []byte, values []uint32, width uint) []byte {
	for i := 0; i < len(values); {
		run := i + 1
		for run < len(values) && values[run] == values[i] {
			run++
		}
		if run-i >= runMin || run == len(values) && run-i >= 8 {
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
			if end+runMin <= len(values) && allEqual(values[end:end+runMin]) {
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
