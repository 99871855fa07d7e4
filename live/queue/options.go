package queue

import (
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/skynet-ec2/skynet/live/api"
	"github.com/skynet-ec2/skynet/policy/dispatch"
)

// Options are an engine's constants. The zero Options give the defaults named
// below.
type Options struct {
	Cluster  string           // workers of another one are refused; default "default"
	Holder   string           // names this process to other ones that would lead; default host name and process id
	Dispatch dispatch.Options // of the state machine; Epoch is the store's to give, RememberFor is 5 min by default

	BeatEvery      time.Duration // how often a worker is asked to beat; default 10 s
	LeadFor        time.Duration // silent for so long, the leader is replaced; default 2 s
	Gather         time.Duration // how long a commit waits for others to join while there are several callers; default 2 ms, negative: not at all
	CommitTimeout  time.Duration // of one attempt to write; default 10 s
	CommitPatience time.Duration // the engine gives up the lead when the store has not answered for so long; default 1 min
	PendingMax     int           // jobs and reports not written yet beyond which callers wait; default 20 000
	JobsMax        int           // jobs in memory beyond which new ones of low priority stay in the store; default 2 million
	HistoryFor     time.Duration // how long records of ended jobs are kept; default 400 days
	MinutesFor     time.Duration // how long roll-ups are kept; default 800 days
	GroupsFor      time.Duration // how long a group is kept after it ended; default 7 days
	WorkersFor     time.Duration // how long a silent worker is remembered; default 15 min

	Now func() time.Time // default time.Now
	Log *slog.Logger     // default: nothing is logged
}

func (o Options) withDefaults() Options {
	setDefault(&o.Cluster, "default")
	if o.Holder == "" {
		host, _ := os.Hostname()
		o.Holder = fmt.Sprintf("%s/%d", host, os.Getpid())
	}
	setDefault(&o.Dispatch.RememberFor, 5*time.Minute)
	setDefault(&o.BeatEvery, 10*time.Second)
	setDefault(&o.LeadFor, 2*time.Second)
	setDefault(&o.Gather, 2*time.Millisecond)
	setDefault(&o.CommitTimeout, 10*time.Second)
	setDefault(&o.CommitPatience, time.Minute)
	setDefault(&o.PendingMax, 20_000)
	setDefault(&o.JobsMax, 2_000_000)
	setDefault(&o.HistoryFor, 400*24*time.Hour)
	setDefault(&o.MinutesFor, 800*24*time.Hour)
	setDefault(&o.GroupsFor, 7*24*time.Hour)
	setDefault(&o.WorkersFor, 15*time.Minute)
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o
}

func setDefault[T comparable](v *T, to T) {
	var zero T
	if *v == zero {
		*v = to
	}
}

// refuse returns an error for the caller to branch on.
func refuse(code api.Code, field, format string, args ...any) *api.Error {
	return &api.Error{Code: code, Field: field, Message: fmt.Sprintf(format, args...)}
}
