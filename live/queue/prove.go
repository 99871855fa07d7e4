package queue

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/skynet-ec2/skynet/live/api"
)

// proof is when the engine last began to renew its lead with success: for LeadFor
// from then on nobody else can lead.
type proof struct {
	base time.Time // with its monotonic reading; the wall clock may be set
	at   atomic.Int64
}

func newProof() *proof { return &proof{base: time.Now()} }

func (p *proof) now() int64 { return int64(time.Since(p.base)) + 1 } // never 0, which is never

// renew renews the lead.
func (e *Engine) renew(ctx context.Context) error {
	began := e.proof.now()
	try, cancel := context.WithTimeout(ctx, e.opt.LeadFor)
	defer cancel()
	err := e.store.Renew(try, e.epoch, e.opt.LeadFor)
	if err == nil {
		e.proof.at.Store(began)
	}
	return err
}

// prove returns nil if the engine leads: it was sure of it a moment ago, or is now.
func (e *Engine) prove(ctx context.Context) error {
	if at := e.proof.at.Load(); at != 0 && e.proof.now()-at < int64(e.opt.LeadFor) {
		return nil
	}
	switch err := e.renew(ctx); {
	case err == nil:
		return nil
	case errors.Is(err, ErrFenced):
		e.fail(err)
		e.mu.Lock()
		defer e.mu.Unlock()
		return e.gone()
	case ctx.Err() != nil:
		return ctx.Err()
	default:
		return storeError(err)
	}
}

// vouch waits until a batch is written, and where nothing was, and something is
// refused or taken away, until it is certain that this engine still leads: a worker
// throws a result away, or stops a job, when it is told that its lease is lost. One
// that was stalled until another took over knows nothing of that one's leases.
func (e *Engine) vouch(ctx context.Context, b *batch, acks []api.Ack, lost, cancel []int64) error {
	if b != nil {
		return e.settle(ctx, b) // written means fenced
	}
	final := len(lost)+len(cancel) > 0
	for _, a := range acks {
		final = final || a.Status == api.AckStale
	}
	if !final {
		return nil
	}
	return e.prove(ctx)
}
