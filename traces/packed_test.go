package traces

import (
	"io"
	"sync"
	"testing"
)

func TestPackedIsReadByManyAtOnce(t *testing.T) {
	p, err := Load(mixed(50_000, true))
	if err != nil {
		t.Fatal(err)
	}
	var sums [4]int64
	var wait sync.WaitGroup
	for i := range sums {
		wait.Go(func() {
			src := p.Source()
			var b Batch
			for src.Next(&b) != io.EOF {
				for j, at := range b.Arrival {
					sums[i] += at ^ b.Service[j] ^ int64(b.Kind[j]) ^ b.BytesIn[j]
				}
			}
		})
	}
	wait.Wait()
	for i, sum := range sums {
		if sum != sums[0] || sum == 0 {
			t.Errorf("reader %d adds up to %d, the first to %d", i, sum, sums[0])
		}
	}
}

func TestColumnsKeepEveryWidth(t *testing.T) {
	for _, most := range []int64{0, 1, 1<<32 - 1, 1 << 32, 1<<40 - 1, 1 << 40, 1<<48 - 1, 1 << 48, TimeMax} {
		values := []int64{0, most, most / 3, 1 & most, most}
		c := pack(values)
		got := make([]int64, len(values))
		for i := range got {
			got[i] = -1
		}
		c.decode(got)
		for i, v := range values {
			if got[i] != v {
				t.Errorf("largest %d: value %d became %d", most, v, got[i])
			}
		}
		width := map[bool]int64{true: 0, false: 4}[most == 0]
		switch {
		case most >= 1<<48:
			width = 8
		case most >= 1<<40:
			width = 6
		case most >= 1<<32:
			width = 5
		}
		if c.bytes() != width*int64(len(values)) {
			t.Errorf("largest %d takes %d bytes for %d values, want %d each", most, c.bytes(), len(values), width)
		}
	}
}
