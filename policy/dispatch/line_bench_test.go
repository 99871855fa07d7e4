package dispatch

import (
	"fmt"
	"testing"
)

// BenchmarkLine pushes one job and pops one while depth others wait behind, in
// one priority and in four that take turns.
func BenchmarkLine(b *testing.B) {
	for _, priorities := range []int64{1, 4} {
		for _, depth := range []int64{0, 100, 10_000, 1_000_000} {
			b.Run(fmt.Sprintf("priorities=%d/depth=%d", priorities, depth), func(b *testing.B) {
				var l Line
				id := int64(0)
				for ; id < depth; id++ {
					l.Push(uint8(priorities-1), Job{ID: id, Arrival: id})
				}
				b.ReportAllocs()
				for b.Loop() {
					l.Push(uint8(id&(priorities-1)), Job{ID: id, Arrival: id, Work: 5, Kind: 1})
					id++
					l.Pop()
				}
			})
		}
	}
}
