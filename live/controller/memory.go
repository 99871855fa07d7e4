package controller

import (
	"context"
	"slices"
	"sync"
	"time"
)

// Memory is a Store, a Book and a Switch in memory, for tests. Its leads end by the
// clock given.
type Memory struct {
	now func() time.Time

	mu     sync.Mutex
	fleets map[string]*memoryFleet
}

type memoryFleet struct {
	epoch  int64
	holder string
	until  time.Time
	saved  []byte
	orders []byte
	at     int64 // revision of orders
	acts   []Act
	stop   Stopped
}

// NewMemory returns an empty store; now tells it the time.
func NewMemory(now func() time.Time) *Memory {
	return &Memory{now: now, fleets: map[string]*memoryFleet{}}
}

func (m *Memory) of(fleet string) *memoryFleet {
	f := m.fleets[fleet]
	if f == nil {
		f = &memoryFleet{}
		m.fleets[fleet] = f
	}
	return f
}

// Lead makes holder the leader.
func (m *Memory) Lead(_ context.Context, fleet, holder string, lasts time.Duration) (int64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	f, now := m.of(fleet), m.now()
	if f.holder != "" && now.Before(f.until) {
		return 0, ErrHeld
	}
	f.epoch++
	f.holder, f.until = holder, now.Add(lasts)
	return f.epoch, nil
}

// Renew prolongs the lead.
func (m *Memory) Renew(_ context.Context, fleet string, epoch int64, lasts time.Duration) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	f := m.of(fleet)
	if f.epoch != epoch {
		return ErrFenced
	}
	f.until = m.now().Add(lasts)
	return nil
}

// Resign ends the lead.
func (m *Memory) Resign(_ context.Context, fleet string, epoch int64) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if f := m.of(fleet); f.epoch == epoch {
		f.holder = ""
	}
	return nil
}

// Load returns what was saved.
func (m *Memory) Load(_ context.Context, fleet string) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.of(fleet).saved, nil
}

// Save replaces it.
func (m *Memory) Save(_ context.Context, fleet string, epoch int64, saved []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	f := m.of(fleet)
	if f.epoch != epoch {
		return ErrFenced
	}
	f.saved = append([]byte(nil), saved...)
	return nil
}

// Orders implements Book.
func (m *Memory) Orders(_ context.Context, fleet string) (Orders, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return DecodeOrders(m.of(fleet).orders, m.of(fleet).at)
}

// Order implements Book.
func (m *Memory) Order(_ context.Context, fleet string, o Orders, act Act) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	f := m.of(fleet)
	if f.at != o.Revision {
		return ErrStale
	}
	text, err := o.Encode()
	if err != nil {
		return err
	}
	f.orders, f.at, f.acts = text, f.at+1, append(f.acts, act)
	return nil
}

// Note implements Book.
func (m *Memory) Note(_ context.Context, fleet string, act Act) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.of(fleet).acts = append(m.of(fleet).acts, act)
	return nil
}

// Acts implements Book.
func (m *Memory) Acts(_ context.Context, fleet string, most int) ([]Act, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	acts := slices.Clone(m.of(fleet).acts)
	slices.Reverse(acts)
	return acts[:min(most, len(acts))], nil
}

// Stop implements Switch.
func (m *Memory) Stop(_ context.Context, fleet string, s Stopped) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	f := m.of(fleet)
	f.stop, f.acts = s, append(f.acts, s.Act())
	return nil
}

// Resume implements Switch.
func (m *Memory) Resume(_ context.Context, fleet string, act Act) (Stopped, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	f := m.of(fleet)
	was := f.stop
	f.stop, f.acts = Stopped{}, append(f.acts, act)
	return was, nil
}

// StopRow implements Switch.
func (m *Memory) StopRow(_ context.Context, fleet string) (Stopped, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.of(fleet).stop, nil
}
