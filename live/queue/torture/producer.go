package torture

import (
	"context"
	"fmt"
	"time"

	"github.com/skynet-ec2/skynet/live/api"
	"github.com/skynet-ec2/skynet/live/client"
)

// produce submits jobs until everybody is calm, each with a key of its own, and
// what was not answered again until it is. Now and then it submits what was
// accepted a second time: the answer must be the same job.
func (r *run) produce(ctx context.Context, who int) {
	draw := r.draws(who)
	number := 0
	for !r.calm() && ctx.Err() == nil {
		if number > 0 && draw.IntN(10) == 0 {
			if r.submit(ctx, []string{jobKey(who, 1+draw.IntN(number))}, "") != nil {
				continue // it was accepted before: nothing is owed
			}
		}
		keys := make([]string, 1+draw.IntN(6))
		for i := range keys {
			number++
			keys[i] = jobKey(who, number)
		}
		batch := client.NewKey()
		for r.submit(ctx, keys, batch) != nil {
			if pause(ctx, 50*time.Millisecond) != nil {
				return
			}
		}
		if pause(ctx, time.Duration(draw.Int64N(int64(r.Pace)))) != nil {
			return
		}
	}
}

func jobKey(who, number int) string { return fmt.Sprintf("p%d-%d", who, number) }

// submit submits a job for each key.
func (r *run) submit(ctx context.Context, keys []string, batch string) error {
	specs := make([]api.JobSpec, len(keys))
	for i, key := range keys {
		specs[i] = api.JobSpec{Type: "torture", Key: key}
	}
	r.call()
	answers, err := r.Producer.SubmitBatch(ctx, specs, batch)
	if err != nil {
		return err
	}
	for i, a := range answers {
		r.submitted(keys[i], a.ID)
	}
	return nil
}
