package queue

import (
	"strings"
	"unicode/utf8"

	"github.com/skynet-ec2/skynet/live/api"
)

// clean returns a text from outside as a store can keep it: valid UTF-8 without
// NUL, cut to at most n bytes.
func clean(s string, n int) string {
	s = strings.ToValidUTF8(s, "\ufffd")
	if strings.IndexByte(s, 0) >= 0 {
		s = strings.ReplaceAll(s, "\x00", "\ufffd")
	}
	if len(s) > n {
		for n > 0 && !utf8.RuneStart(s[n]) {
			n--
		}
		s = s[:n]
	}
	return strings.Clone(s)
}

// checkName returns an error unless s can be a name of least to NameMax bytes.
func checkName(field, s string, least int) *api.Error {
	switch {
	case len(s) < least:
		return refuse(api.CodeRequired, field, "%s must be given", field)
	case len(s) > api.NameMax:
		return refuse(api.CodeInvalid, field, "%s of %d bytes: must be at most %d", field, len(s), api.NameMax)
	case !utf8.ValidString(s) || strings.IndexByte(s, 0) >= 0:
		return refuse(api.CodeInvalid, field, "%s must be UTF-8 without NUL", field)
	}
	return nil
}

// checkNumber returns an error unless v is from least to most.
func checkNumber[T int | int64 | float64](field string, v, least, most T) *api.Error {
	if v >= least && v <= most { // not so of a NaN
		return nil
	}
	err := refuse(api.CodeInvalid, field, "%s = %v: must be from %v to %v", field, v, least, most)
	lo, hi := float64(least), float64(most)
	err.Min, err.Max = &lo, &hi
	return err
}
