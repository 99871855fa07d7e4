package server

import (
	"context"
	"time"

	"github.com/skynet-ec2/skynet/live/api"
)

// Engine is the queue behind the calls. Its errors are *api.Error, or those of
// the context; anything else is a fault.
type Engine interface {
	Register(context.Context, api.RegisterRequest) (api.RegisterResponse, error)
	Work(context.Context, api.WorkRequest) (api.WorkResponse, error) // parks until there is something to say
	Heartbeat(context.Context, api.HeartbeatRequest) (api.HeartbeatResponse, error)
	Complete(context.Context, api.CompleteRequest) (api.CompleteResponse, error)
	Goodbye(ctx context.Context, workerID string, r api.GoodbyeRequest) (api.GoodbyeResponse, error)
	WorkerOf(session string) (api.Worker, bool)
	Workers() api.WorkersResponse

	Enqueue(ctx context.Context, jobs []api.JobSpec, idempotencyKey string) ([]api.Submitted, error)
	Job(ctx context.Context, id int64, wait time.Duration) (api.Job, error)
	Jobs(context.Context, api.Filter) (api.JobsResponse, error)
	Cancel(ctx context.Context, id int64) (api.Job, error)
	Retry(ctx context.Context, id int64) (api.Job, error)
	SetPriority(ctx context.Context, id int64, priority int) (api.Job, error)
	CancelSelected(context.Context, api.SelectRequest) (api.SelectResponse, error)
	RetrySelected(context.Context, api.SelectRequest) (api.SelectResponse, error)
	NewGroup(context.Context, api.GroupRequest) (api.Group, error)
	Group(ctx context.Context, id string, wait time.Duration) (api.Group, error)
	Groups(ctx context.Context, tenant string) (api.GroupsResponse, error)

	Stats(tenant string) api.Stats
	Observe(api.ObserveRequest) (api.Observed, error)
	Queues() api.QueuesResponse
	Pause(ctx context.Context, kind string) (api.Queue, error)
	Resume(ctx context.Context, kind string) (api.Queue, error)
	Limit(ctx context.Context, kind string, l api.Limit) (api.Queue, error)
	KeyLimit(ctx context.Context, key string, l api.KeyLimit) (api.KeyLimit, error)
	Weight(ctx context.Context, tenant string, w api.Weight) (api.Weight, error)
	Schedules() api.SchedulesResponse
	SetSchedule(ctx context.Context, name string, s api.Schedule) (api.Schedule, error)
	DeleteSchedule(ctx context.Context, name string) error
	Direct(context.Context, api.DirectiveRequest) (api.PostedDirective, error)
	Directives() api.DirectivesResponse
	DeleteDirective(ctx context.Context, id string) error

	History(ctx context.Context, from, to time.Time, yield func(api.Finished) error) error
	Ready() error
}
