package fleet

import (
	"slices"

	"github.com/skynet-ec2/skynet/policy"
)

// Piece is what one intent asks for of a launch.
type Piece struct {
	Zone  string // empty: EC2 chooses
	Count int
}

// Split divides a launch of count instances into pieces for one intent each: of
// one zone, and of at most CountMax. A launch that names its zone stays there, and
// one on the spot market is left to EC2, which knows where there is room; others
// are spread over the zones that are not avoided, or over all if every one is,
// beginning with the turn-th. Without zones EC2 chooses. Nothing goes into a zone
// that is closed: nil closes none; where one may be, EC2 does not choose, not even
// on the spot market, and without a zone that is open there is no piece.
//
// Properties:
//   - the counts sum to count, or there is no piece
//   - no two zones differ by more than one, before they are cut to CountMax
func Split(market policy.Market, zone string, count int, zones []string, closed, avoid func(zone string) bool, turn int) []Piece {
	var among []string
	if closed != nil {
		zones = slices.DeleteFunc(slices.Clone(zones), closed)
		if len(zones) == 0 || zone != "" && closed(zone) {
			return nil
		}
	}
	switch {
	case zone != "":
		among = []string{zone}
	case market == policy.Spot && closed == nil || len(zones) == 0:
		among = []string{""}
	default:
		for _, z := range zones {
			if avoid == nil || !avoid(z) {
				among = append(among, z)
			}
		}
		if len(among) == 0 {
			among = zones
		}
	}
	var pieces []Piece
	n := len(among)
	for i := range n {
		share := count / n
		if i < count%n {
			share++
		}
		for share > 0 {
			cut := min(share, CountMax)
			pieces = append(pieces, Piece{among[(i+max(turn, 0))%n], cut})
			share -= cut
		}
	}
	return pieces
}
