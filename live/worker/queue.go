package worker

import (
	"context"

	"github.com/skynet-ec2/skynet/live/api"
)

// A Queue is what a worker asks for work. Errors of the queue itself are
// *api.Error; any other is one of the way to it.
type Queue interface {
	Register(context.Context, api.RegisterRequest) (api.RegisterResponse, error)
	Work(context.Context, api.WorkRequest) (api.WorkResponse, error)
	Heartbeat(context.Context, api.HeartbeatRequest) (api.HeartbeatResponse, error)
	Complete(context.Context, api.CompleteRequest) (api.CompleteResponse, error)
	Goodbye(ctx context.Context, workerID string, r api.GoodbyeRequest) (api.GoodbyeResponse, error)
}
