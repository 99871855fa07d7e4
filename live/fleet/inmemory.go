package fleet

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/skynet-ec2/skynet/policy"
)

// InMemory is a region of EC2 in memory, without prices, boots and bills: enough
// to try a controller's protocol on, and quick. Every Fleet it gives sees the same
// instances. It is safe for concurrent use.
type InMemory struct {
	catalog *policy.Catalog
	now     func() time.Time

	mu        sync.Mutex
	instances []*memoryInstance
	tokens    map[string]*memoryLaunch // by intent
	broken    map[Call][]Breakage
	lag       time.Duration
}

type memoryInstance struct {
	Listed
	foreign bool
	shown   time.Time // from when lists show it
}

type memoryLaunch struct {
	intent    Intent
	instances []*memoryInstance
}

// Call is a kind of call that can be broken.
type Call uint8

// The calls.
const (
	Listing Call = iota
	Launching
	Terminating
)

// Breakage is how a call is broken.
type Breakage uint8

const (
	// ErrorBefore: the call fails and does nothing.
	ErrorBefore Breakage = iota
	// ErrorAfter: the call is carried out and fails.
	ErrorAfter
	// LostReply: the call is carried out and never answered.
	LostReply
	// Throttle: the call is refused, and so are others that come too soon.
	Throttle
	// NoCapacity: a launch gives nothing.
	NoCapacity
	// NoQuota: a launch is beyond the account's quota.
	NoQuota
	// Forbid: a launch is not permitted.
	Forbid
)

// Action is EC2's name for a call.
func (c Call) Action() string {
	return [...]string{Listing: "DescribeInstances", Launching: "RunInstances", Terminating: "TerminateInstances"}[c]
}

// Code is that of the error which a broken call shows; empty for a lost reply.
func (b Breakage) Code() string {
	_, code := b.fault()
	return code
}

// Done reports whether a broken call is carried out all the same.
func (b Breakage) Done() bool { return b == ErrorAfter || b == LostReply }

// fault returns the class and code of the error that a breakage shows.
func (b Breakage) fault() (Class, string) {
	switch b {
	case Throttle:
		return Throttled, "RequestLimitExceeded"
	case NoCapacity:
		return Capacity, "InsufficientInstanceCapacity"
	case NoQuota:
		return Quota, "VcpuLimitExceeded"
	case Forbid:
		return Permanent, "UnauthorizedOperation"
	case LostReply:
		return Ambiguous, ""
	}
	return Ambiguous, "InternalError"
}

// NewInMemory returns a region without instances. now nil is time.Now.
func NewInMemory(catalog *policy.Catalog, now func() time.Time) *InMemory {
	if now == nil {
		now = time.Now
	}
	return &InMemory{catalog: catalog, now: now, tokens: map[string]*memoryLaunch{}, broken: map[Call][]Breakage{}}
}

// Break makes the next call of a kind go wrong; more in a row, the ones after it.
func (m *InMemory) Break(c Call, how ...Breakage) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.broken[c] = append(m.broken[c], how...)
}

// Lag makes lists show what is launched from now on so much later.
func (m *InMemory) Lag(d time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.lag = d
}

// Foreign launches an instance that is not the fleet's, and returns its id.
func (m *InMemory) Foreign() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.start(Listed{Type: m.catalog.Types[0].Name}, true).ID
}

// Alive returns the ids of the instances that run, in launch order.
func (m *InMemory) Alive() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	var ids []string
	for _, in := range m.instances {
		if in.State != Over {
			ids = append(ids, in.ID)
		}
	}
	return ids
}

// Launched returns how many instances were ever launched for an intent.
func (m *InMemory) Launched(intent string) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := 0
	for _, in := range m.instances {
		if in.Intent == intent {
			n++
		}
	}
	return n
}

// Fleet returns the fleet as one controller sees it.
func (m *InMemory) Fleet() Fleet { return &memoryFleet{region: m, own: map[string]bool{}} }

func (m *InMemory) start(l Listed, foreign bool) *memoryInstance {
	l.ID = fmt.Sprintf("i-%017x", len(m.instances)+1)
	l.State, l.Launched = Running, m.now()
	in := &memoryInstance{l, foreign, m.now().Add(m.lag)}
	m.instances = append(m.instances, in)
	return in
}

// breakage returns how a call is broken; false if it is not.
func (m *InMemory) breakage(c Call) (Breakage, bool) {
	if len(m.broken[c]) == 0 {
		return 0, false
	}
	b := m.broken[c][0]
	m.broken[c] = m.broken[c][1:]
	return b, true
}

// memoryFleet is one controller's sight of an InMemory.
type memoryFleet struct {
	region *InMemory

	// guarded by region.mu
	refusals Refusals
	own      map[string]bool
}

// Observe implements Observer.
func (f *memoryFleet) Observe(ctx context.Context) View {
	m := f.region
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.now()
	v := View{At: now}
	switch b, broken := m.breakage(Listing); {
	case broken:
		class, code := b.fault()
		f.refusals.Called(now, class)
		v.Err = fmt.Errorf("observe: %s", code)
	case ctx.Err() != nil:
		v.Err = ctx.Err()
	default:
		f.refusals.Called(now, None)
		v.Complete = true
		for _, in := range m.instances {
			if !in.foreign && !in.shown.After(now) {
				v.Instances = append(v.Instances, in.Listed)
				f.own[in.ID] = true
			}
		}
	}
	v.EC2 = f.refusals.EC2View(now, m.catalog)
	v.EC2.Complete = v.Complete
	v.Frozen = f.refusals.Frozen(now)
	return v
}

// Spec implements Actuator: all instances are alike.
func (f *memoryFleet) Spec() string { return "" }

// Pieces implements Actuator: there are no zones to choose from.
func (f *memoryFleet) Pieces(_ string, market policy.Market, zone string, count, turn int, closed func(zone string) bool) []Piece {
	return Split(market, zone, count, nil, closed, nil, turn)
}

// Launch implements Actuator.
func (f *memoryFleet) Launch(ctx context.Context, asks []Ask) []Outcome {
	f.region.mu.Lock()
	defer f.region.mu.Unlock()
	outcomes := make([]Outcome, len(asks))
	silent := false
	for i := range asks {
		if silent {
			outcomes[i] = Outcome{Intent: asks[i].ID, Settlement: Unsent, Refused: asks[i].Count, Class: Throttled, Code: "NotCalled"}
			continue
		}
		outcomes[i] = f.launch(ctx, &asks[i])
		silent = outcomes[i].Settlement == Unknown && outcomes[i].Class == Ambiguous
		if o := &outcomes[i]; o.Settlement == Settled && o.Class != None && asks[i].InDoubt(f.region.now()) {
			o.Settlement = Unknown
		}
		outcomes[i].Intent = asks[i].ID
	}
	return outcomes
}

func (f *memoryFleet) launch(ctx context.Context, ask *Ask) Outcome {
	m := f.region
	now := m.now()
	class, code, held := f.refusals.Held(now, ask.Type, ask.Market, ask.Zone)
	switch {
	case f.refusals.Throttling(now), ctx.Err() != nil:
		return Outcome{Settlement: Unsent, Refused: ask.Count, Class: Throttled, Code: "RequestLimitExceeded", Remembered: true}
	case held && !ask.Again:
		return Outcome{Settlement: Settled, Refused: ask.Count, Class: class, Code: code, Remembered: true}
	}
	b, broken := m.breakage(Launching)
	if broken && b != ErrorAfter && b != LostReply {
		class, code := b.fault()
		f.refusals.Called(now, class)
		o := Outcome{Class: class, Code: code}
		switch class {
		case Ambiguous:
			return o
		case Throttled:
			o.Settlement = Unsent
		case Permanent:
			f.refusals.Freeze(now, code, "")
			fallthrough
		default:
			o.Settlement = Settled
		}
		o.Refused = ask.Count
		f.refusals.Refuse(now, ask.Type, ask.Market, ask.Zone, ask.Count, ask.Count, class, code)
		return o
	}
	l := m.tokens[ask.ID]
	if l == nil {
		l = &memoryLaunch{intent: ask.Intent}
		m.tokens[ask.ID] = l
		for range ask.Count {
			l.instances = append(l.instances, m.start(Listed{Type: ask.Type, Market: ask.Market, Zone: ask.Zone, Intent: ask.ID}, false))
		}
	}
	if broken {
		class, code := b.fault()
		f.refusals.Called(now, class)
		return Outcome{Class: class, Code: code}
	}
	f.refusals.Called(now, None)
	f.refusals.Thaw()
	o := Outcome{Settlement: Settled, Class: None}
	for _, in := range l.instances {
		o.Instances = append(o.Instances, Launched{ID: in.ID, Type: in.Type, Zone: in.Zone, At: in.Listed.Launched})
		f.own[in.ID] = true
	}
	return o
}

// Terminate implements Actuator.
func (f *memoryFleet) Terminate(_ context.Context, ids []string) []Ending {
	m := f.region
	m.mu.Lock()
	defer m.mu.Unlock()
	b, broken := m.breakage(Terminating)
	endings := make([]Ending, len(ids))
	for i, id := range ids {
		endings[i].ID = id
		if broken && b != ErrorAfter && b != LostReply {
			_, endings[i].Code = b.fault()
			continue
		}
		if !f.own[id] {
			endings[i] = Ending{ID: id, Ended: Denied, Code: "NotOurs", Message: "it was never listed or launched as the fleet's"}
			continue
		}
		endings[i].Ended, endings[i].Code = NotFound, "InvalidInstanceID.NotFound"
		for _, in := range m.instances {
			if in.ID == id && !in.shown.After(m.now()) {
				in.State, in.Reason = Over, "terminated"
				endings[i].Ended, endings[i].Code = Accepted, ""
			}
		}
		if broken {
			_, code := b.fault()
			endings[i] = Ending{ID: id, Code: code}
		}
	}
	return endings
}
