package scenarios

import "testing"

func BenchmarkLoad(b *testing.B) {
	for b.Loop() {
		if _, err := Load("photo-week.toml"); err != nil {
			b.Fatal(err)
		}
	}
}
