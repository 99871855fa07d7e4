// Package prometheus reads how full a queue is from a Prometheus server, by
// queries that somebody configures.
//
// A query must answer with one number. No data, more than one series, NaN and what
// is below zero are unknown, never zero; so is a depth whose sample is older than
// Config.AgeMax.
package prometheus

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/api"
	v1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"

	"github.com/skynet-ec2/skynet/live/secret"
	"github.com/skynet-ec2/skynet/live/source"
)

// Queries are those about one kind of job. An empty one is not asked.
type Queries struct {
	Depth    string // jobs that wait; must be given
	InFlight string // jobs that run
	OldestS  string // age of the oldest waiting job, seconds
	ServiceS string // mean service time, seconds
	// Arrived and Completed are totals (counters), ArrivedPerS and CompletedPerS
	// rates a second, of jobs.
	Arrived, ArrivedPerS, Completed, CompletedPerS string
}

// Config describes a Reader.
type Config struct {
	URL   string       // of the server, without /api/v1
	Token secret.Value // sent as a bearer token, if there is one
	Kinds []Queries
	// Workers answers with one series for each worker, whose value is how many jobs
	// it runs and whose label Instance holds EC2's id of its instance.
	Workers, Instance string
	// AgeMax is how old the sample behind a depth may be; 0: 2 minutes.
	AgeMax time.Duration
	// Client makes the calls; nil: a client without a proxy.
	Client *http.Client
	// Now tells the time; nil: time.Now.
	Now func() time.Time
}

// Reader is a source.Reader.
type Reader struct {
	c   Config
	api v1.API
}

// Open returns a reader. It makes no call.
func Open(c Config) (*Reader, error) {
	if len(c.Kinds) == 0 {
		return nil, errors.New("prometheus: no kind of job")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.AgeMax == 0 {
		c.AgeMax = 2 * time.Minute
	}
	client := &http.Client{}
	if c.Client != nil {
		*client = *c.Client
	}
	client.Transport = bearer{client.Transport, c.Token}
	server, err := api.NewClient(api.Config{Address: c.URL, Client: client})
	if err != nil {
		return nil, fmt.Errorf("prometheus: %w", err)
	}
	return &Reader{c, v1.NewAPI(server)}, nil
}

// bearer sends a token with every call.
type bearer struct {
	by    http.RoundTripper
	token secret.Value
}

// RoundTrip is of http.RoundTripper.
func (b bearer) RoundTrip(r *http.Request) (*http.Response, error) {
	if !b.token.IsZero() {
		r = r.Clone(r.Context())
		r.Header.Set("Authorization", "Bearer "+b.token.Reveal())
	}
	if b.by == nil {
		return http.DefaultTransport.RoundTrip(r)
	}
	return b.by.RoundTrip(r)
}

// question is one query, and what becomes of its answer.
type question struct {
	key, query string
	take       func(value float64) error
}

// Read is of source.Reader: every query at the same instant.
func (r *Reader) Read(ctx context.Context) (source.Reading, error) {
	at := r.c.Now().UTC()
	reading := source.Reading{At: at, Kinds: make([]source.Count, len(r.c.Kinds))}
	var questions []question
	for i := range r.c.Kinds {
		questions = append(questions, r.about(at, &r.c.Kinds[i], &reading.Kinds[i])...)
	}
	failed := make(chan error, len(questions)+1)
	limit := make(chan struct{}, 8)
	for _, q := range questions {
		go func() {
			limit <- struct{}{}
			failed <- r.one(ctx, at, q)
			<-limit
		}()
	}
	go func() { failed <- r.workers(ctx, at, &reading) }()
	var err error
	for range len(questions) + 1 {
		err = errors.Join(err, <-failed)
	}
	if err != nil {
		return source.Reading{}, err
	}
	return reading, nil
}

// about returns the questions about a kind of job.
func (r *Reader) about(at time.Time, q *Queries, c *source.Count) []question {
	jobs := func(into *int64) func(float64) error {
		return func(value float64) (err error) {
			*into, err = source.Whole(value)
			return err
		}
	}
	figure := func(into *source.Figure) func(float64) error {
		return func(value float64) error {
			if math.IsInf(value, 0) || !(value >= 0) {
				return fmt.Errorf("is %v: must be a number, at least 0", value)
			}
			*into = source.Known(value)
			return nil
		}
	}
	c.NoInFlight = q.InFlight == ""
	all := []question{{"depth", q.Depth, jobs(&c.Waiting)}, {"depth", "timestamp(" + q.Depth + ")", func(sampled float64) error {
		if age := float64(at.UnixNano())/1e9 - sampled; !(age <= r.c.AgeMax.Seconds()) {
			return fmt.Errorf("was sampled %.0f s ago, at most %.0f: unknown", age, r.c.AgeMax.Seconds())
		}
		return nil
	}}}
	for _, more := range []question{
		{"in_flight", q.InFlight, jobs(&c.InFlight)},
		{"service_s", q.ServiceS, figure(&c.ServiceS)},
		{"arrived", q.Arrived, figure(&c.Arrived.Total)},
		{"arrived_per_s", q.ArrivedPerS, figure(&c.Arrived.PerS)},
		{"completed", q.Completed, figure(&c.Completed.Total)},
		{"completed_per_s", q.CompletedPerS, figure(&c.Completed.PerS)},
	} {
		if more.query != "" {
			all = append(all, more)
		}
	}
	if q.OldestS != "" {
		all = append(all, question{"oldest_s", q.OldestS, figure(&c.OldestS)})
	}
	return all
}

// one asks a question whose answer is one number.
func (r *Reader) one(ctx context.Context, at time.Time, q question) error {
	samples, err := r.ask(ctx, at, q.query)
	if err == nil && len(samples) != 1 {
		err = fmt.Errorf("answers with %d series, not with one: unknown", len(samples))
	}
	if err == nil {
		err = q.take(float64(samples[0].Value))
	}
	if err != nil {
		return fmt.Errorf("prometheus: %s: %s %w", q.key, q.query, err)
	}
	return nil
}

// ask returns what a query answers.
func (r *Reader) ask(ctx context.Context, at time.Time, query string) (model.Vector, error) {
	answer, _, _, err := r.api.Query(ctx, query, at)
	if err != nil {
		return nil, fmt.Errorf("fails: %w", err)
	}
	switch v := answer.(type) {
	case model.Vector:
		return v, nil
	case *model.Scalar:
		return model.Vector{{Value: v.Value, Timestamp: v.Timestamp}}, nil
	}
	return nil, fmt.Errorf("answers with a %s, not with numbers of one instant", answer.Type())
}

// workers asks which workers there are. None is an answer: what it means the
// source.Queue decides.
func (r *Reader) workers(ctx context.Context, at time.Time, reading *source.Reading) error {
	if r.c.Workers == "" {
		return nil
	}
	samples, err := r.ask(ctx, at, r.c.Workers)
	if err != nil {
		return fmt.Errorf("prometheus: workers: %s %w", r.c.Workers, err)
	}
	reading.WithWorkers = true
	for _, s := range samples {
		id := string(s.Metric[model.LabelName(r.c.Instance)])
		if id == "" {
			return fmt.Errorf("prometheus: workers: %s: the series %s has no label %s", r.c.Workers, s.Metric, r.c.Instance)
		}
		busy, err := source.Whole(float64(s.Value))
		if err != nil {
			return fmt.Errorf("prometheus: workers: %s: %s %w", r.c.Workers, id, err)
		}
		reading.Workers = append(reading.Workers, source.Worker{Instance: id, Busy: int(busy)})
	}
	return nil
}
