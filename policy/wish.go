package policy

import "time"

// WishKind is what an operator asks of the fleet.
type WishKind uint8

const (
	// WishDrain: an instance takes no new job and ends when it is idle.
	WishDrain WishKind = iota
	// WishCordon: nothing of a type, or in a zone, is bought.
	WishCordon
	// WishFloor: the fleet is at least so large.
	WishFloor
)

var wishWords = [...]string{"drain", "cordon", "floor"}

// String returns the word.
func (k WishKind) String() string { return wishWords[k] }

// MarshalText writes the kind as its word.
func (k WishKind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText reads a kind's word.
func (k *WishKind) UnmarshalText(text []byte) error {
	return unmarshalWord(k, text, "wish", WishDrain, WishCordon, WishFloor)
}

// AnyType stands for every instance type in a Wish.
const AnyType = -1

// Wish is what an operator asks of the fleet for a time. Obey makes a decision
// honour it.
type Wish struct {
	Kind WishKind `json:"kind"`
	// Instance that a WishDrain drains.
	Instance InstanceID `json:"instance,omitempty"`
	// Type is the index of the type that a WishCordon closes or a WishFloor counts
	// and buys; AnyType: a cordon is of a zone, a floor of any type.
	Type int `json:"type"`
	// Zone that a WishCordon closes; empty: it is of a type.
	Zone string `json:"zone,omitempty"`
	// Instances or Cores that a WishFloor keeps: one of them, the other is 0.
	Instances int `json:"instances,omitempty"`
	Cores     int `json:"cores,omitempty"`
	// Until is when it ends by itself.
	Until time.Time `json:"until"`
	// By and Why say who asked for it, and what for.
	By  string `json:"by"`
	Why string `json:"why"`
}

// reasonName returns who asked for it and why, as the name in a Reason.
func (w *Wish) reasonName() string { return w.By + ": " + w.Why }
