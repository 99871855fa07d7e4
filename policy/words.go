package policy

import (
	"fmt"
	"strings"
)

// unmarshalWord sets *v to the one of allowed whose String is text.
func unmarshalWord[T fmt.Stringer](v *T, text []byte, what string, allowed ...T) error {
	words := make([]string, len(allowed))
	for i, a := range allowed {
		if a.String() == string(text) {
			*v = a
			return nil
		}
		words[i] = a.String()
	}
	return fmt.Errorf("%s %q: must be one of %s", what, text, strings.Join(words, ", "))
}
