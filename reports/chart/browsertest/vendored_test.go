package browsertest

import (
	"crypto/sha256"
	"fmt"
	"testing"
)

// axe-core is the file that its authors published.
func TestAxeIsWhatWasPublished(t *testing.T) {
	const want = "29348999450cdf2849a8e70b7912fc2da85a849da39c0d0d5394f51d4a9ed95c"
	if got := fmt.Sprintf("%x", sha256.Sum256([]byte(axe))); got != want {
		t.Errorf("axe.min.js has sha256 %s, want %s", got, want)
	}
}
