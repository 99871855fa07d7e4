package traces

import "testing"

func BenchmarkReadCSV(b *testing.B) {
	for _, ext := range []string{".csv", ".csv.gz", ".csv.zst"} {
		b.Run(ext[1:], func(b *testing.B) { benchRead(b, ext) })
	}
}
