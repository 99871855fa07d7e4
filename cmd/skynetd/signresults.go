package main

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/skynet-ec2/skynet/cmd/cli"
	"github.com/skynet-ec2/skynet/live/objects"
)

// signedFor is how long an address for a result is good, if the credentials that
// sign it last as long: a job may run for long, and its result wait on the worker's
// disk. One that is over costs another attempt.
const signedFor = 12 * time.Hour

// resultSigner returns what signs the addresses of results; nil: nothing does. It
// fails where there are no credentials to sign with.
func (q *queueVerb) resultSigner() (func(ctx context.Context, job int64, token uint64) (string, error), error) {
	if q.signResults == "" {
		return nil, nil
	}
	at, err := objects.ParseURL(q.signResults)
	if err != nil {
		return nil, cli.UsageError(fmt.Errorf("--sign-results %w", err))
	}
	store, err := objects.Open(q.Ctx, objects.Options{})
	if err != nil {
		return nil, err
	}
	sign := func(ctx context.Context, job int64, token uint64) (string, error) {
		return store.SignPut(ctx, at.Under(strconv.FormatInt(job, 10)+"/"+strconv.FormatUint(token, 10)), signedFor)
	}
	if _, err := sign(q.Ctx, 0, 0); err != nil {
		return nil, cli.OutsideError(fmt.Errorf("--sign-results %s: %w", q.signResults, err))
	}
	return sign, nil
}
