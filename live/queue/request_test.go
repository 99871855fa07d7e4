package queue

import (
	"encoding/json"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/skynet-ec2/skynet/live/api"
)

// Whatever a call was answered with, the same comes out of what is kept of it, and
// of what was stored.
func TestRequestKeepsItsAnswer(t *testing.T) {
	dice := rand.New(rand.NewPCG(1, 2))
	for range 500 {
		var answer []api.Submitted
		id := dice.Int64N(1000) + 1
		for range dice.IntN(30) {
			switch dice.IntN(5) {
			case 0: // one that was there already
				answer = append(answer, api.Submitted{ID: dice.Int64N(id) + 1})
			default:
				id++
				answer = append(answer, api.Submitted{ID: id, Added: true})
			}
		}
		r := newRequest(answer, 7)
		text, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		stored := &request{}
		if err := json.Unmarshal(text, stored); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(r.answer(), answer) || !slices.Equal(stored.answer(), answer) || stored.Until != 7 {
			t.Fatalf("%v is kept as %s", answer, text)
		}
	}
	batch := make([]api.Submitted, 1000)
	for i := range batch {
		batch[i] = api.Submitted{ID: int64(5 + i), Added: true}
	}
	if r := newRequest(batch, 0); len(r.Runs) != 1 {
		t.Errorf("a thousand new jobs are kept as %d runs", len(r.Runs))
	}
}
