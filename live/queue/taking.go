package queue

import (
	"runtime/debug"
	"sync"
)

// taking hands jobs that a store reads to whoever takes them, on another core:
// reading and decoding is half of what loading a queue costs.
type taking struct {
	full  chan []Job
	empty chan []Job
	chunk []Job
	ended chan struct{}
	err   error // of take, valid once ended is closed
}

const (
	takingChunk  = 256 // jobs handed over at once
	takingChunks = 8
)

func newTaking(take func(*Job) error) *taking {
	t := &taking{full: make(chan []Job, takingChunks), empty: make(chan []Job, takingChunks), ended: make(chan struct{})}
	for range takingChunks {
		t.empty <- make([]Job, 0, takingChunk)
	}
	t.chunk = <-t.empty
	go func() {
		defer close(t.ended)
		for chunk := range t.full {
			for i := range chunk {
				if t.err = take(&chunk[i]); t.err != nil {
					return
				}
			}
			t.empty <- chunk[:0]
		}
	}()
	return t
}

// add hands a job over. It fails if one before it could not be taken.
func (t *taking) add(j *Job) error {
	if t.chunk = append(t.chunk, *j); len(t.chunk) < takingChunk {
		return nil
	}
	select {
	case t.full <- t.chunk:
	case <-t.ended:
		return t.err
	}
	select {
	case t.chunk = <-t.empty:
		return nil
	case <-t.ended:
		return t.err
	}
}

// end waits until all is taken, and returns why it is not.
func (t *taking) end() error {
	if len(t.chunk) > 0 {
		select {
		case t.full <- t.chunk:
		case <-t.ended:
		}
	}
	close(t.full)
	<-t.ended
	return t.err
}

// loadGCPercent is how much may be allocated, in percent of what lives, before
// garbage is collected while a queue is loaded. Nearly nothing of it is garbage:
// each collection looks in vain at all that was loaded so far.
const loadGCPercent = 400

var easing struct {
	sync.Mutex
	loads  int
	before int
}

// easeCollector lets garbage wait while a queue is loaded. A limit of memory
// stays in force. The function it returns ends that.
func easeCollector() (end func()) {
	easing.Lock()
	defer easing.Unlock()
	if easing.loads++; easing.loads == 1 {
		easing.before = debug.SetGCPercent(loadGCPercent)
		if easing.before < 0 || easing.before > loadGCPercent {
			debug.SetGCPercent(easing.before)
		}
	}
	return func() {
		easing.Lock()
		defer easing.Unlock()
		if easing.loads--; easing.loads == 0 {
			debug.SetGCPercent(easing.before)
		}
	}
}
