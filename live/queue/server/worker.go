package server

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/skynet-ec2/skynet/live/access"
	"github.com/skynet-ec2/skynet/live/api"
)

// workBytesMax bounds the body of a worker's call: a thousand jobs that ended,
// each with the longest error.
const workBytesMax = 8 << 20

func (c *call) registerWorker() error {
	r, err := take(c, bodyBytesMax, checkRegister)
	if err != nil {
		return err
	}
	if r.Cluster != c.opt.Cluster {
		return access.WrongCluster(r.Cluster, c.opt.Cluster)
	}
	if bound := c.caller.InstanceID; bound != "" && r.InstanceID != bound {
		return &api.Error{Code: api.CodeForbidden, Field: "instance_id", Message: fmt.Sprintf("the token is bound to instance %s", bound)}
	}
	answer, err := c.engine.Register(c.ctx(), r)
	if err != nil {
		return err
	}
	return c.answer(answer)
}

// checkSession refuses a session of another instance than the token's.
func (c *call) checkSession(session string) error {
	if c.caller.InstanceID == "" {
		return nil
	}
	if w, ok := c.engine.WorkerOf(session); ok && w.InstanceID != c.caller.InstanceID {
		return &api.Error{Code: api.CodeForbidden, Field: "session", Message: "the session is another instance's"}
	}
	return nil
}

// writeSlack is how long an answer may take beyond what the caller waits for.
const writeSlack = 30 * time.Second

// patience returns a context that ends with the caller's, or a little after the
// time it meant to wait, or when the server ends; and bounds the writing.
func (c *call) patience(wait time.Duration) (context.Context, context.CancelFunc) {
	http.NewResponseController(c.w).SetWriteDeadline(time.Now().Add(wait + writeSlack)) // not every writer can
	return context.WithTimeout(c.ctx(), wait+writeSlack)
}

func (c *call) work() error {
	r, err := take(c, workBytesMax, checkWork)
	if err == nil {
		err = c.checkSession(r.Session)
	}
	if err != nil {
		return err
	}
	select {
	case <-c.leaving:
		r.WaitMS = 0
	default:
	}
	ctx, cancel := c.patience(time.Duration(r.WaitMS) * time.Millisecond)
	defer cancel()
	answer, err := c.engine.Work(ctx, r)
	if err != nil {
		return err
	}
	if answer.Jobs, err = c.signed(ctx, answer.Jobs); err != nil {
		return err
	}
	return c.answer(answer)
}

// signed returns jobs with the addresses that their results are to be put to, where
// the server signs any. A job whose address cannot be signed would run for nothing:
// the call fails, and its repetition gets the same jobs.
func (c *call) signed(ctx context.Context, jobs []api.LeasedJob) ([]api.LeasedJob, error) {
	if c.opt.SignResult == nil || len(jobs) == 0 {
		return jobs, nil
	}
	jobs = slices.Clone(jobs) // the engine keeps its answer for repetitions
	for i := range jobs {
		address, err := c.opt.SignResult(ctx, jobs[i].ID, jobs[i].Token)
		if err != nil {
			c.opt.Log.Error("no address for a result", "job", jobs[i].ID, "error", err)
			return nil, &api.Error{Code: api.CodeUnavailable, Message: "the queue cannot sign addresses for results now: call again"}
		}
		jobs[i].ResultPut = address
	}
	return jobs, nil
}

func (c *call) heartbeat() error {
	r, err := take(c, bodyBytesMax, checkHeartbeat)
	if err == nil {
		err = c.checkSession(r.Session)
	}
	if err != nil {
		return err
	}
	answer, err := c.engine.Heartbeat(c.ctx(), r)
	if err != nil {
		return err
	}
	return c.answer(answer)
}

func (c *call) complete() error {
	r, err := take(c, workBytesMax, checkComplete)
	if err == nil {
		err = c.checkSession(r.Session)
	}
	if err != nil {
		return err
	}
	answer, err := c.engine.Complete(c.ctx(), r)
	if err != nil {
		return err
	}
	for _, a := range answer.Acks {
		if a.Status != api.AckStale {
			return c.answer(answer)
		}
	}
	answer.Error = &api.Error{Code: api.CodeStale, Field: "done", Message: "the leases were lost: other attempts count; there is nothing to repeat"}
	c.figures.refused(api.CodeStale)
	c.write(statusOf[api.CodeStale], answer)
	return nil
}

func (c *call) goodbye() error {
	worker, err := c.word("worker")
	if err != nil {
		return err
	}
	r, err := take(c, bodyBytesMax, checkGoodbye)
	if err == nil {
		err = c.checkSession(r.Session)
	}
	if err != nil {
		return err
	}
	answer, err := c.engine.Goodbye(c.ctx(), worker, r)
	if err != nil {
		return err
	}
	return c.answer(answer)
}

func (c *call) listWorkers() error {
	if err := c.wholeQueue(); err != nil {
		return err
	}
	return c.answer(c.engine.Workers())
}
