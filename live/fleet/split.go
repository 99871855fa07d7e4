package fleet

import "github.com/skynet-ec2/skynet/policy"

// Piece is what one intent asks for of a launch.
type Piece struct {
	Zone  string // empty: EC2 chooses
	Count int
}

// Split divides a launch of count instances into pieces for one intent each: of
// one zone, and of at most CountMax. A launch that names its zone stays there, and
// one on the spot market is left to EC2, which knows where there is room; others
// are spread over the zones that are not avoided, or over all if every one is,
// beginning with the turn-th. Without zones EC2 chooses.
//
// Properties:
//   - the counts sum to count
//   - no two zones differ by more than one, before they are cut to CountMax
func Split(market policy.Market, zone string, count int, zones []string, avoid func(zone string) bool, turn int) []Piece {
	var among []string
	switch {
	case zone != "":
		among = []string{zone}
	case market == policy.Spot || len(zones) == 0:
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
