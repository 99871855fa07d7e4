package traces

import "encoding/binary"

// dictionary numbers the distinct values of a column as it meets them.
type dictionary struct {
	texts    map[string]uint32
	numbers  map[int32]uint32
	n        int
	plain    []byte
	min, max []byte
}

func newDictionary() *dictionary {
	return &dictionary{texts: map[string]uint32{}, numbers: map[int32]uint32{}}
}

func (d *dictionary) text(s string) uint32 {
	if k, ok := d.texts[s]; ok {
		return k
	}
	if d.n == 0 || s < string(d.min) {
		d.min = []byte(s)
	}
	if d.n == 0 || s > string(d.max) {
		d.max = []byte(s)
	}
	d.texts[s] = uint32(d.n)
	d.plain = append(binary.LittleEndian.AppendUint32(d.plain, uint32(len(s))), s...)
	d.n++
	return uint32(d.n - 1)
}

func (d *dictionary) int32(v int32) uint32 {
	if k, ok := d.numbers[v]; ok {
		return k
	}
	if d.n == 0 || v < int32(binary.LittleEndian.Uint32(d.min)) {
		d.min = binary.LittleEndian.AppendUint32(nil, uint32(v))
	}
	if d.n == 0 || v > int32(binary.LittleEndian.Uint32(d.max)) {
		d.max = binary.LittleEndian.AppendUint32(nil, uint32(v))
	}
	d.numbers[v] = uint32(d.n)
	d.plain = binary.LittleEndian.AppendUint32(d.plain, uint32(v))
	d.n++
	return uint32(d.n - 1)
}
