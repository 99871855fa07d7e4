package photo

import "fmt"

// Rotate returns p turned clockwise, from how it stands upright, by 0, 90, 180
// or 270 degrees.
func (p *Photo) Rotate(degrees int) (*Photo, error) {
	turn, known := map[int]orientation{0: 1, 90: 6, 180: 3, 270: 8}[degrees]
	if !known {
		return nil, fmt.Errorf("degrees %d: must be 0, 90, 180 or 270", degrees)
	}
	return p.with(turn.turn(p.upright())), nil
}
