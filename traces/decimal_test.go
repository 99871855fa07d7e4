package traces

import (
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestSecondsAreExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := rapid.Int64Range(0, math.MaxInt64).Draw(t, "ns")
		text := string(AppendSeconds(nil, want))
		whole, frac, _ := strings.Cut(text, ".")
		got := int64(0)
		for _, digit := range whole + frac + strings.Repeat("0", 9-len(frac)) {
			got = 10*got + int64(digit-'0')
		}
		if got != want || strings.HasSuffix(frac, "0") || strings.HasSuffix(text, ".") {
			t.Fatalf("%d ns written as %q", want, text)
		}
	})
}
