package traces

import "strconv"

// formatSeconds returns ns nanoseconds as seconds with as many decimals as
// are needed, at most nine.
func formatSeconds(ns int64) string { return string(AppendSeconds(nil, ns)) }

// AppendSeconds appends ns nanoseconds as seconds with as many decimals as are
// needed, at most nine: as times stand in CSV.
func AppendSeconds(dst []byte, ns int64) []byte {
	if ns < 0 {
		dst = append(dst, '-')
		ns = -ns
	}
	dst = strconv.AppendUint(dst, uint64(ns)/1e9, 10)
	frac := uint64(ns) % 1e9
	if frac == 0 {
		return dst
	}
	dst = append(dst, '.')
	for unit := uint64(1e8); frac > 0; unit /= 10 {
		dst = append(dst, byte('0'+frac/unit))
		frac %= unit
	}
	return dst
}
