package torture

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"
)

// Network is an http.RoundTripper that brings calls to one of several queue
// processes, as a load balancer would, and loses and doubles them. Close waits
// for what is still on its way.
type Network struct {
	Under    http.RoundTripper
	Hosts    func() []string // host:port of the processes that may lead
	Patience time.Duration   // a call is given up after so long
	Late     time.Duration   // a doubled call comes at most so much later
	Seed     uint64

	mu     sync.Mutex
	draw   *rand.Rand
	calm   bool
	at     int // of Hosts: where the last call was answered
	counts NetworkFaults
	late   sync.WaitGroup
}

// NetworkFaults counts what a Network did to calls.
type NetworkFaults struct {
	Calls   int // attempts, without doubles
	Asked   int // lost on the way to the queue
	Answers int // lost on the way back
	Doubled int // came twice
}

// Sum returns the number of faults.
func (f NetworkFaults) Sum() int { return f.Asked + f.Answers + f.Doubled }

var errLost = errors.New("the call was lost on the way to the queue")

var errAnswerLost = errors.New("the answer was lost on the way back")

// fate is what happens to a call.
type fate int

const (
	passes fate = iota
	askedLost
	answerLost
	doubledBefore // the queue hears it twice, the second answer counts
	doubledLate   // the queue hears it once more when the answer is long there
)

// Of a thousand calls, so many meet each fate.
var fates = []struct {
	fate  fate
	share int
}{{askedLost, 15}, {answerLost, 25}, {doubledBefore, 15}, {doubledLate, 15}}

func (n *Network) next() (f fate, late time.Duration) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.draw == nil {
		n.draw = rand.New(rand.NewPCG(n.Seed, 1))
	}
	n.counts.Calls++
	if n.calm {
		return passes, 0
	}
	drawn := n.draw.IntN(1000)
	for _, one := range fates {
		if drawn -= one.share; drawn < 0 {
			f = one.fate
			break
		}
	}
	switch f {
	case askedLost:
		n.counts.Asked++
	case answerLost:
		n.counts.Answers++
	case doubledBefore, doubledLate:
		n.counts.Doubled++
		late = time.Duration(n.draw.Int64N(int64(n.Late) + 1))
	}
	return f, late
}

// RoundTrip implements http.RoundTripper.
func (n *Network) RoundTrip(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		var err error
		if body, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
		r.Body.Close()
	}
	fate, late := n.next()
	switch fate {
	case askedLost:
		return nil, errLost
	case doubledBefore:
		n.send(r.Context(), r, body) // its answer is of no interest
	}
	answer, err := n.send(r.Context(), r, body)
	switch fate {
	case answerLost:
		return nil, errAnswerLost
	case doubledLate:
		n.late.Go(func() {
			time.Sleep(late)
			n.send(context.WithoutCancel(r.Context()), r, body)
		})
	}
	return answer, err
}

// send brings a call to where the last one was answered, and reads the whole
// answer. A process that is gone or does not lead makes the next call go
// elsewhere.
func (n *Network) send(ctx context.Context, r *http.Request, body []byte) (*http.Response, error) {
	ctx, cancel := context.WithTimeout(ctx, n.Patience)
	defer cancel()
	hosts := n.Hosts()
	n.mu.Lock()
	at := n.at
	n.mu.Unlock()
	out := r.Clone(ctx)
	out.Body = io.NopCloser(bytes.NewReader(body))
	out.URL.Host = hosts[at%len(hosts)]
	answer, err := n.Under.RoundTrip(out)
	if err == nil {
		var text []byte
		text, err = io.ReadAll(answer.Body)
		answer.Body.Close()
		answer.Body = io.NopCloser(bytes.NewReader(text))
	}
	if err != nil || answer.StatusCode == http.StatusServiceUnavailable {
		n.mu.Lock()
		if n.at == at {
			n.at++
		}
		n.mu.Unlock()
	}
	if err != nil {
		return nil, err
	}
	return answer, nil
}

// Calm ends the faults.
func (n *Network) Calm() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.calm = true
}

// Faults returns what has been done to calls so far.
func (n *Network) Faults() NetworkFaults {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.counts
}

// Close waits for doubled calls on their way.
func (n *Network) Close() { n.late.Wait() }
