package ec2fleet

import (
	"context"
	"regexp"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"github.com/skynet-ec2/skynet/live/fleet"
)

// One wrong id spoils a whole call, so instances are ended in batches; what a
// call names as wrong is left out of the next, and a call that names nothing is
// halved.
const (
	batchMax     = 200
	terminateMax = 40 // calls for one Terminate: halving must not become a storm
)

// Terminate implements fleet.Actuator.
func (w *Writer) Terminate(ctx context.Context, ids []string) []fleet.Ending {
	t := termination{w: w, endings: make([]fleet.Ending, len(ids)), place: map[string]int{}}
	var ours []string
	w.mu.Lock()
	for i, id := range ids {
		t.endings[i].ID = id
		_, twice := t.place[id]
		_, own := w.own[id]
		switch {
		case twice:
			t.endings[i].Message = "the id stands twice"
		case !own:
			t.endings[i] = fleet.Ending{ID: id, Ended: fleet.Denied, Code: "NotOurs", Message: "it was never listed or launched as the fleet's"}
		default:
			t.place[id] = i
			ours = append(ours, id)
		}
	}
	w.mu.Unlock()
	for batch := range slices.Chunk(ours, batchMax) {
		t.end(ctx, batch)
	}
	return t.endings
}

// termination is one Terminate under way.
type termination struct {
	w       *Writer
	endings []fleet.Ending
	place   map[string]int // of ids in endings
	calls   int
	stopped bool // EC2 is to be left alone
}

func (t *termination) mark(ids []string, e fleet.Ended, f fault) {
	for _, id := range ids {
		t.endings[t.place[id]] = fleet.Ending{ID: id, Ended: e, Code: f.code, Message: f.message}
	}
}

// wrongIDs are the codes of errors that one instance causes for all.
var wrongIDs = map[string]fleet.Ended{
	"InvalidInstanceID.NotFound":  fleet.NotFound,
	"InvalidInstanceID.Malformed": fleet.Denied,
	"OperationNotPermitted":       fleet.Denied,
	"UnauthorizedOperation":       fleet.Denied, // one that lacks the tag that permits it
}

var instanceID = regexp.MustCompile(`i-[0-9a-z]+`)

// end ends the instances of ids, as far as EC2 lets it.
func (t *termination) end(ctx context.Context, ids []string) {
	for len(ids) > 0 {
		f := t.call(ctx, ids)
		if f.class == fleet.Ambiguous && !t.stopped && pause(ctx, time.Second) {
			f = t.call(ctx, ids) // ending twice is ending once
		}
		how, one := wrongIDs[f.code]
		switch {
		case f.class == fleet.None:
			t.mark(ids, fleet.Accepted, fault{})
			return
		case !one:
			t.mark(ids, fleet.Unsure, f)
			t.stopped = t.stopped || f.class == fleet.Throttled
			return
		case len(ids) == 1:
			t.mark(ids, how, f)
			return
		}
		var named, rest []string
		blamed := instanceID.FindAllString(f.message, -1)
		for _, id := range ids {
			if slices.Contains(blamed, id) {
				named = append(named, id)
			} else {
				rest = append(rest, id)
			}
		}
		t.mark(named, how, f)
		if len(named) == 0 {
			t.end(ctx, ids[:len(ids)/2])
			rest = ids[len(ids)/2:]
		}
		ids = rest
	}
}

// call makes one call, unless there were too many or EC2 is to be left alone.
func (t *termination) call(ctx context.Context, ids []string) fault {
	t.w.mu.Lock()
	t.stopped = t.stopped || t.w.refusals.Throttling(t.w.config.Now())
	t.w.mu.Unlock()
	if t.stopped || t.calls >= terminateMax {
		return fault{fleet.Throttled, "NotCalled", "too many calls already"}
	}
	t.calls++
	return t.w.call(ctx, func(ctx context.Context) error {
		_, err := t.w.change.TerminateInstances(ctx, &ec2.TerminateInstancesInput{InstanceIds: ids})
		return err
	})
}
