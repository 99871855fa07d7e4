package sqs

import (
	"context"
	"fmt"
	"math"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/skynet-ec2/skynet/live/source"
)

const (
	// pointEvery is how far CloudWatch's points are apart, and how often it is asked.
	pointEvery = time.Minute
	// pointAgeMax is how old a point may be to say anything of now.
	pointAgeMax = 6 * time.Minute
	// watchTime bounds a call: what it answers is worth no more.
	watchTime = 2 * time.Second
)

// watch asks CloudWatch what SQS does not say itself.
type watch struct {
	client *cloudwatch.Client
	names  []string
	now    func() time.Time

	mu    sync.Mutex
	at    time.Time // of the last question
	known []points  // of its answer, by queue
}

// points are what is known of a queue.
type points struct {
	oldestS, deletedPerS source.Figure
	at                   time.Time // of the point that oldestS is
}

func newWatch(account aws.Config, urls []string, now func() time.Time) *watch {
	w := &watch{now: now, client: cloudwatch.NewFromConfig(account, func(o *cloudwatch.Options) { o.RetryMaxAttempts = 1 })}
	for _, url := range urls {
		w.names = append(w.names, name(url))
	}
	w.known = make([]points, len(urls))
	return w
}

// add adds what is known to counts.
func (w *watch) add(ctx context.Context, counts []source.Count) {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := w.now()
	if now.Sub(w.at) >= pointEvery {
		w.at = now
		w.known = w.ask(ctx, now)
	}
	for i := range counts {
		p := &w.known[i]
		if now.Sub(p.at) > pointAgeMax {
			continue
		}
		counts[i].Completed.PerS = p.deletedPerS
		if p.oldestS.Known && counts[i].Waiting > 0 {
			counts[i].OldestS = p.oldestS
		}
	}
}

// metrics are the ones asked for, and what of their points.
var metrics = []struct{ name, stat string }{
	{"ApproximateAgeOfOldestMessage", "Maximum"},
	{"NumberOfMessagesDeleted", "Sum"},
}

// ask returns what CloudWatch knows. What it does not answer is unknown.
func (w *watch) ask(ctx context.Context, now time.Time) []points {
	ctx, cancel := context.WithTimeout(ctx, watchTime)
	defer cancel()
	known := make([]points, len(w.names))
	in := &cloudwatch.GetMetricDataInput{
		StartTime: aws.Time(now.Add(-pointAgeMax).Truncate(pointEvery)), EndTime: aws.Time(now.Truncate(pointEvery)), ScanBy: types.ScanByTimestampDescending,
	}
	for i := range w.names {
		for m := range metrics {
			in.MetricDataQueries = append(in.MetricDataQueries, types.MetricDataQuery{
				Id: aws.String(fmt.Sprintf("m%d_%d", m, i)),
				MetricStat: &types.MetricStat{
					Period: aws.Int32(int32(pointEvery.Seconds())), Stat: &metrics[m].stat,
					Metric: &types.Metric{
						Namespace: aws.String("AWS/SQS"), MetricName: &metrics[m].name,
						Dimensions: []types.Dimension{{Name: aws.String("QueueName"), Value: &w.names[i]}},
					},
				},
			})
		}
	}
	out, err := w.client.GetMetricData(ctx, in)
	if err != nil {
		return known
	}
	for _, r := range out.MetricDataResults {
		var m, i int
		if _, err := fmt.Sscanf(aws.ToString(r.Id), "m%d_%d", &m, &i); err != nil || i < 0 || i >= len(known) || len(r.Values) == 0 || len(r.Timestamps) != len(r.Values) || !(r.Values[0] >= 0) || math.IsInf(r.Values[0], 1) {
			continue
		}
		known[i].take(m, &r, now)
	}
	return known
}

// take takes the newest point of a metric in.
func (p *points) take(m int, r *types.MetricDataResult, now time.Time) {
	at, value := r.Timestamps[0], r.Values[0]
	p.at = at
	if m == 1 {
		p.deletedPerS = source.Known(value / pointEvery.Seconds())
		return
	}
	if value > 0 { // whoever was the oldest then has waited since, for all that is known
		p.oldestS = source.Known(value + now.Sub(at).Seconds())
	}
}
