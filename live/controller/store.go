package controller

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/skynet-ec2/skynet/policy"
)

// ErrHeld says that somebody else leads; ErrFenced that somebody else has led
// since.
var (
	ErrHeld   = errors.New("another controller leads this fleet")
	ErrFenced = errors.New("another controller has taken over this fleet")
)

// Store keeps what a controller must not forget, for one fleet at a time and one
// leader at a time. Every error but ErrHeld and ErrFenced may pass.
type Store interface {
	// Lead makes holder the leader for so long and returns its epoch, which only
	// grows. It fails with ErrHeld while another leads.
	Lead(ctx context.Context, fleet, holder string, lasts time.Duration) (epoch int64, err error)
	// Renew prolongs the lead of an epoch. It fails with ErrFenced once there was
	// another.
	Renew(ctx context.Context, fleet string, epoch int64, lasts time.Duration) error
	// Resign ends the lead of an epoch, if it is the latest.
	Resign(ctx context.Context, fleet string, epoch int64) error
	// Load returns what was saved last; nil if nothing was.
	Load(ctx context.Context, fleet string) ([]byte, error)
	// Save replaces it, whole or not at all. It fails with ErrFenced where epoch is
	// not the latest.
	Save(ctx context.Context, fleet string, epoch int64, saved []byte) error
}

// Saved is what a controller saves before it acts.
type Saved struct {
	// Format of this text.
	Format int `json:"format"`
	// Decision is the number of the latest decision, At its time.
	Decision int64     `json:"decision"`
	At       time.Time `json:"at"`
	// Policy is the label of the policy whose State it is.
	Policy string          `json:"policy"`
	State  json.RawMessage `json:"state"`
	// Shadow and ShadowState are the same of the shadow; empty: there was none.
	Shadow      string          `json:"shadow,omitempty"`
	ShadowState json.RawMessage `json:"shadow_state,omitempty"`
	// Learned is what the recorder has learned.
	Learned json.RawMessage `json:"learned"`
	Ledger  json.RawMessage `json:"ledger"`
	// Drains are the instances out of service.
	Drains []Drain `json:"drains,omitempty"`
	Spent  Spent   `json:"spent"`
}

// savedFormat is the format that this program writes, and the only one it reads.
const savedFormat = 1

// Drain is an instance that takes no new job and ends when it is idle.
type Drain struct {
	Instance policy.InstanceID `json:"instance"`
	Since    time.Time         `json:"since"`
	// Told is when the queue was told; zero: not yet.
	Told time.Time `json:"told,omitzero"`
}

// decodeSaved reads what Save was given.
func decodeSaved(text []byte) (*Saved, error) {
	var s Saved
	if err := json.Unmarshal(text, &s); err != nil {
		return nil, fmt.Errorf("saved state: %w", err)
	}
	if s.Format != savedFormat {
		return nil, fmt.Errorf("saved state: format %d: this program reads format %d", s.Format, savedFormat)
	}
	return &s, nil
}

// Memory is a Store in memory, for tests. Its leads end by the clock given.
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
