package bundle

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"time"

	"aead.dev/minisign"
)

// channelKind tells a channel from a manifest that the same key signed.
const channelKind = "skynet channel 1"

// A Channel says which release the instances that follow it run. The zero
// Channel has none.
type Channel struct {
	Kind     string `json:"kind"`
	Name     string `json:"name"`
	Sequence int64  `json:"sequence"` // grows with every change
	Stable   int64  `json:"stable"`   // the release that everybody runs; 0: none yet
	// Candidate is the release that is tried by some; 0: none.
	Candidate int64     `json:"candidate,omitempty"`
	Percent   float64   `json:"percent,omitempty"`   // of the instances run the candidate, over 0 to 100
	Instances []string  `json:"instances,omitempty"` // these do too, whatever percent says
	Now       bool      `json:"now,omitempty"`       // jobs that would keep an instance long are given back
	Before    []int64   `json:"before,omitempty"`    // former stable releases, the latest last
	Reason    string    `json:"reason,omitempty"`    // of the last change, for people
	ChangedAt time.Time `json:"changed_at"`
	NotAfter  time.Time `json:"not_after"` // nobody believes it later
}

// beforeMax bounds how many former releases a channel remembers.
const beforeMax = 10

var channelName = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,62}$`)

// CheckChannelName returns an error if no channel can be called so.
func CheckChannelName(name string) error {
	if !channelName.MatchString(name) {
		return fmt.Errorf("channel %q: must be 1 to 63 of a-z 0-9 -", name)
	}
	return nil
}

// Check returns everything that is wrong with c.
func (c Channel) Check() error {
	var problems []error
	wrong := func(format string, args ...any) { problems = append(problems, fmt.Errorf(format, args...)) }
	if c.Kind != channelKind {
		wrong("kind %q: must be %q", c.Kind, channelKind)
	}
	if err := CheckChannelName(c.Name); err != nil {
		problems = append(problems, err)
	}
	if c.Sequence < 1 || c.Sequence > NumberMax {
		wrong("sequence %d: must be from 1 to %d", c.Sequence, int64(NumberMax))
	}
	for _, n := range append([]int64{c.Stable, c.Candidate}, c.Before...) {
		if n < 0 || n > NumberMax {
			wrong("release %d: must be from 0 to %d", n, int64(NumberMax))
		}
	}
	if !(c.Percent >= 0 && c.Percent <= 100) {
		wrong("percent %v: must be from 0 to 100", c.Percent)
	}
	return errors.Join(problems...)
}

// Wants returns the release that an instance is to run, or 0 for none. Bad are
// releases that it must not run, because they failed there: it runs the stable
// one before instead.
//
// Properties:
//   - an instance that runs the candidate at one percentage runs it at any larger one
//   - who is among the first few differs from candidate to candidate
//   - no bad release is returned
func (c Channel) Wants(instance string, bad []int64) int64 {
	if n := c.Candidate; n != 0 && !slices.Contains(bad, n) && (lot(instance, n) < c.Percent/100 || slices.Contains(c.Instances, instance)) {
		return n
	}
	for _, n := range slices.Backward(append(slices.Clone(c.Before), c.Stable)) {
		if n != 0 && !slices.Contains(bad, n) {
			return n
		}
	}
	return 0
}

// lot returns an instance's place among those that try a release: from 0, the
// first, to 1, which nobody has.
func lot(instance string, number int64) float64 {
	sum := sha256.Sum256([]byte(instance + " " + strconv.FormatInt(number, 10)))
	return float64(binary.BigEndian.Uint64(sum[:])>>11) / (1 << 53)
}

// OpenChannel returns the channel in a signed document. It is not older than
// the one of sequence seen, and not out of date.
func OpenChannel(document []byte, keys []minisign.PublicKey, name string, seen int64, now time.Time) (Channel, error) {
	var c Channel
	err := open(document, keys, &c)
	if err == nil {
		err = c.Check()
	}
	switch {
	case err != nil:
	case c.Name != name:
		err = fmt.Errorf("it is channel %q", c.Name)
	case c.Sequence < seen:
		err = fmt.Errorf("sequence %d: this worker has seen %d: somebody brought back an old one", c.Sequence, seen)
	case now.After(c.NotAfter):
		err = fmt.Errorf("not_after %s has passed: somebody holds back a new one, or skynet release renew was forgotten", c.NotAfter.Format(time.RFC3339))
	}
	if err != nil {
		return Channel{}, fmt.Errorf("channel %s: %w", name, err)
	}
	return c, nil
}

// ChannelName returns where a channel lies in a store.
func ChannelName(name string) string { return "channels/" + name }
