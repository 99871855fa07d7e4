package traces

import (
	"bytes"
	"encoding/binary"
	"math"
	"strconv"
)

// Largest whole seconds a time may have; with any fraction it stays within
// TimeMax.
const secondsMax = TimeMax/1_000_000_000 - 1

var pow10 = [...]uint64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9}

// scanSeconds reads digits with at most nine decimals from data[p:] and
// returns them in nanoseconds with the position behind. It returns ok =
// false for everything else (signs, exponents, quotes, more digits), which
// parseSeconds understands. data must end in a byte that is not a digit.
func scanSeconds(data []byte, p int) (ns int64, next int, ok bool) {
	start := p
	var v uint64
	for {
		c := uint64(data[p]) - '0'
		if c > 9 {
			break
		}
		v = v*10 + c
		p++
	}
	if n := p - start; n == 0 || n > 10 || v > secondsMax {
		return 0, p, false
	}
	v *= 1e9
	if data[p] != '.' {
		return int64(v), p, true
	}
	p++
	start = p
	var frac uint64
	if len(data)-p >= 8 {
		if word := binary.LittleEndian.Uint64(data[p:]); eightDigits(word) {
			frac = parseEight(word)
			p += 8
		}
	}
	for {
		c := uint64(data[p]) - '0'
		if c > 9 {
			break
		}
		frac = frac*10 + c
		p++
	}
	n := p - start
	if n > 9 {
		return 0, p, false
	}
	return int64(v + frac*pow10[9-n]), p, true
}

// eightDigits reports whether the bytes of word are all decimal digits: the
// high half of each is 3, and stays so when 6 is added.
func eightDigits(word uint64) bool {
	const high = 0xf0f0f0f0f0f0f0f0
	return word&high|(word+0x0606060606060606)&high>>4 == 0x3333333333333333
}

// parseEight returns the number that eight digits spell, the first in the
// lowest byte. It joins neighbours: digits to pairs, pairs to fours, fours to
// the whole.
func parseEight(word uint64) uint64 {
	word -= 0x3030303030303030
	word = word*10 + word>>8
	const pairs = 0x000000ff000000ff
	return (word&pairs*(100+1_000_000<<32) + word>>16&pairs*(1+10_000<<32)) >> 32
}

// parseSeconds reads a decimal number of seconds, with sign and exponent if
// any, exactly to the nanosecond. Decimals beyond the ninth are an error, or,
// when round is set, rounded to nearest (halves away from zero).
func parseSeconds(field []byte, round bool) (ns int64, err *rowError) {
	return parseTime(field, 9, round)
}

// parseTime is parseSeconds for a number that counts in units of ten to the
// power scale nanoseconds.
func parseTime(field []byte, scale int, round bool) (ns int64, err *rowError) {
	v, err := parseDecimal(field, scale, round)
	if err != nil {
		return 0, err
	}
	if v > TimeMax || v < -TimeMax {
		return 0, &rowError{why: OutOfRange, detail: "must be at most " + formatSeconds(TimeMax) + " s (146 years)"}
	}
	return v, nil
}

// parseDecimal returns field times ten to the power scale as an integer. A
// value beyond int64 is reported as math.MaxInt64 or its negative.
func parseDecimal(field []byte, scale int, round bool) (int64, *rowError) {
	d, ok := decimalOf(field)
	if !ok {
		return 0, &rowError{why: BadNumber, detail: "must be a decimal number"}
	}
	v, rest := d.scaled(scale)
	if rest != restNone && !round {
		return 0, &rowError{why: BadNumber, detail: "has more than 9 decimals"}
	}
	if rest == restHalf {
		v++
	}
	v = min(v, math.MaxInt64)
	if d.negative {
		return -int64(v), nil
	}
	return int64(v), nil
}

// decimal is a decimal number as it is written.
type decimal struct {
	negative bool
	mantissa []byte // its digits, perhaps with a point among them; at least one digit
	point    int    // digits before the point
	exponent int    // of ten, cut at a million either way
}

// decimalOf takes a number apart: sign, digits with a point, exponent. It returns
// false where the field is not written like that.
func decimalOf(field []byte) (d decimal, ok bool) {
	d.mantissa, d.negative = cutSign(field)
	if i := bytes.IndexAny(d.mantissa, "eE"); i >= 0 {
		if d.exponent, ok = exponentOf(d.mantissa[i+1:]); !ok {
			return d, false
		}
		d.mantissa = d.mantissa[:i]
	}
	digits := 0
	d.point = len(d.mantissa)
	for i, c := range d.mantissa {
		switch {
		case c == '.' && d.point == len(d.mantissa):
			d.point = i
		case c >= '0' && c <= '9':
			digits++
		default:
			return d, false
		}
	}
	return d, digits > 0
}

// cutSign returns what follows a sign, and whether that was a minus.
func cutSign(s []byte) (rest []byte, negative bool) {
	if len(s) > 0 && (s[0] == '-' || s[0] == '+') {
		return s[1:], s[0] == '-'
	}
	return s, false
}

// exponentOf reads the digits behind an e, with a sign if there is one.
func exponentOf(s []byte) (exponent int, ok bool) {
	s, negative := cutSign(s)
	for _, c := range s {
		if c < '0' || c > '9' {
			return 0, false
		}
		exponent = min(exponent*10+int(c-'0'), 1_000_000)
	}
	if negative {
		exponent = -exponent
	}
	return exponent, len(s) > 0
}

// What is left of a number behind a whole one.
const (
	restNone = iota
	restLess // less than a half
	restHalf // a half or more
)

// scaled returns the whole part of d times ten to the power scale, and what is
// left behind it. A value beyond int64 is math.MaxInt64.
func (d *decimal) scaled(scale int) (v uint64, rest int) {
	keep := d.point + d.exponent + scale // digits that count; the others are the rest
	seen, saturated := 0, false
	for _, c := range d.mantissa {
		if c == '.' {
			continue
		}
		digit := uint64(c - '0')
		switch {
		case seen >= keep:
			if digit == 0 {
				break
			}
			if seen == keep && digit >= 5 {
				rest = restHalf
			}
			rest = max(rest, restLess)
		case v > (math.MaxInt64-digit)/10:
			saturated = true
		default:
			v = v*10 + digit
		}
		seen++
	}
	for ; seen < keep && v != 0 && !saturated; seen++ {
		saturated = v > math.MaxInt64/10
		v *= 10
	}
	if saturated {
		v = math.MaxInt64
	}
	return v, rest
}

// parseWhole returns a non-negative integer of at most most.
func parseWhole(field []byte, most int64) (int64, *rowError) {
	v, err := parseDecimal(field, 0, false)
	if err != nil {
		if err.why == BadNumber {
			err.detail = "must be a whole number from 0 to " + strconv.FormatInt(most, 10)
		}
		return 0, err
	}
	if v < 0 || v > most {
		return 0, &rowError{why: OutOfRange, detail: "must be a whole number from 0 to " + strconv.FormatInt(most, 10)}
	}
	return v, nil
}

// missing reports whether a field of a foreign trace stands for no value.
func missing(field []byte) bool {
	switch string(field) {
	case "", "-1", "NULL", "null", "None", "none", `\N`:
		return true
	}
	return false
}
