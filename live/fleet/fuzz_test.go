package fleet

import (
	"testing"
	"time"

	"github.com/skynet-ec2/skynet/policy"
)

// A ledger that was read, whatever stood there, can be used, and written as it
// was read.
func FuzzLedger(f *testing.F) {
	for _, text := range []string{
		`{}`, `{"next":2,"intents":[{"id":"a","type":"c1.xlarge","count":2,"first":0,"decided":"2026-11-01T00:00:00Z","epoch":1,"stage":0,"tries":1,"bound":["i-1"]}],"instances":[{"number":0,"id":"i-1","type":"c1.xlarge","intent":"a","launched":"2026-11-01T00:00:00Z"}],"ended":{"i-2":"2026-11-01T00:00:00Z"}}`,
		`{"next":-1}`, `{"intents":[{"first":-9}]}`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		l := NewLedger(DefaultRules(0))
		if l.UnmarshalJSON(text) != nil {
			return
		}
		first, err := l.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		again := NewLedger(DefaultRules(0))
		if err := again.UnmarshalJSON(first); err != nil {
			t.Fatalf("%s: %v", first, err)
		}
		catalog := policy.EC2in2008()
		now := time.Date(2026, 11, 1, 0, 1, 0, 0, time.UTC)
		l.Recover(now)
		asks := l.Due(now)
		for _, a := range asks {
			l.Settle(now, []Outcome{{Intent: a.ID, Settlement: Settled, Instances: []Launched{{ID: "i-9"}}}})
		}
		_, end := l.Sweep(now, View{At: now, Complete: true, Instances: []Listed{{ID: "i-1"}, {ID: "i-3", Intent: "a"}}}, now)
		for _, id := range end {
			l.Ended(now, []Ending{{ID: id, Ended: Accepted}})
		}
		if n := len(l.Instances(now, &catalog)); n > l.Size() {
			t.Errorf("%d instances of %d", n, l.Size())
		}
	})
}
