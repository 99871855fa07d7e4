package postgres

import (
	"time"

	"github.com/skynet-ec2/skynet/live/queue"
	"github.com/skynet-ec2/skynet/policy/dispatch"
)

const jobColumns = `id, type, priority, tenant, "group", key, concurrency_key, created_ns, arrival_ns, due_ns, estimate_ns, promise_ns, max_run_ns,
	attempts_max, bytes_in, args, state, token, attempts, failures, losses, flags, ended_by, error, cold`

const jobWidth = 25

// writeJob writes a job's row. What most jobs have is NULL.
func writeJob(w *rowWriter, j *queue.Job) {
	w.row(jobWidth)
	w.bigint(j.ID)
	w.text(j.Type)
	w.smallint(int(j.Priority))
	w.textOrNull(j.Tenant, j.Group, j.IdempotencyKey, j.ConcurrencyKey)
	w.bigint(j.Created)
	w.bigint(j.RunAt)
	w.bigintOrNull(j.Due, int64(j.Estimate), j.Promise, int64(j.MaxRun))
	w.integerOrNull(j.AttemptsMax)
	w.bigintOrNull(j.BytesIn)
	w.bytesOrNull(j.Args)
	if j.State == dispatch.Waiting {
		w.null()
	} else {
		w.smallint(int(j.State))
	}
	w.bigintOrNull(int64(j.Token))
	w.integerOrNull(j.Attempts, j.Failures, j.Losses)
	w.smallintOrNull(flagsOf(j))
	w.smallintOrNull(int(j.EndedBy))
	w.textOrNull(j.Error)
	if j.Cold {
		w.length(1)
		w.b = append(w.b, 1)
	} else {
		w.null()
	}
}

func flagsOf(j *queue.Job) int {
	if j.Cancelling {
		return 1
	}
	return 0
}

// readJob reads a job's row into j. Names that j has already are used again;
// args copies the arguments.
func readJob(r *row, j *queue.Job, args *queue.Blocks) {
	jobType, tenant, group, concurrencyKey, message := j.Type, j.Tenant, j.Group, j.ConcurrencyKey, j.Error
	*j = queue.Job{}
	j.ID, j.Type, j.Priority = r.bigint(), r.textLike(jobType), uint8(r.smallint())
	j.Tenant, j.Group, j.IdempotencyKey, j.ConcurrencyKey = r.textLike(tenant), r.textLike(group), r.text(), r.textLike(concurrencyKey)
	j.Created, j.RunAt, j.Due = r.bigint(), r.bigint(), r.bigint()
	j.Estimate, j.Promise, j.MaxRun = time.Duration(r.bigint()), r.bigint(), time.Duration(r.bigint())
	j.AttemptsMax, j.BytesIn, j.Args = r.integer(), r.bigint(), args.Copy(r.value(-1))
	if j.State = dispatch.State(r.smallint()); j.State == dispatch.Unknown {
		j.State = dispatch.Waiting
	}
	j.Token, j.Attempts, j.Failures, j.Losses = dispatch.Token(r.bigint()), r.integer(), r.integer(), r.integer()
	j.Cancelling = r.smallint()&1 == 1
	j.EndedBy, j.Error, j.Cold = dispatch.Cause(r.smallint()), r.textLike(message), r.boolean()
}

const historyColumns = `id, type, priority, tenant, "group", state, attempts, failures, losses, token, created_ns, arrival_ns, started_ns, finished_ns,
	run_ns, cpu_ns, estimate_ns, promise_ns, bytes_in, bytes_out, peak_memory_bytes, worker, instance, instance_type, boot, error, result`

const historyWidth = 27

func writeRecord(w *rowWriter, r *queue.Record) {
	w.row(historyWidth)
	w.bigint(r.ID)
	w.text(r.Type)
	w.smallint(int(r.Priority))
	w.textOrNull(r.Tenant, r.Group)
	w.smallint(int(r.State))
	w.integer(r.Attempts)
	w.integerOrNull(r.Failures, r.Losses)
	w.bigint(int64(r.Token))
	w.bigint(r.Created)
	w.bigint(r.Arrival)
	w.bigintOrNull(r.Started)
	w.bigint(r.Finished)
	w.bigintOrNull(r.Run, r.CPU, r.Estimate, r.Promise, r.BytesIn, r.BytesOut, r.PeakMemory)
	w.textOrNull(r.Worker, r.Instance, r.InstanceType, r.Boot, r.Error, r.Result)
}

func readRecord(w *row, r *queue.Record) {
	*r = queue.Record{
		ID: w.bigint(), Type: w.text(), Priority: uint8(w.smallint()), Tenant: w.text(), Group: w.text(), State: dispatch.State(w.smallint()),
		Attempts: w.integer(), Failures: w.integer(), Losses: w.integer(), Token: dispatch.Token(w.bigint()),
		Created: w.bigint(), Arrival: w.bigint(), Started: w.bigint(), Finished: w.bigint(), Run: w.bigint(), CPU: w.bigint(),
		Estimate: w.bigint(), Promise: w.bigint(), BytesIn: w.bigint(), BytesOut: w.bigint(), PeakMemory: w.bigint(),
		Worker: w.text(), Instance: w.text(), InstanceType: w.text(), Boot: w.text(), Error: w.text(), Result: w.text(),
	}
}
