package controller

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
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
	// Back are those that are wanted again and whose workers may not know it yet.
	Back  []policy.InstanceID `json:"back,omitempty"`
	Spent Spent               `json:"spent"`
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
