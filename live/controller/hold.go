package controller

// Hold is why nothing of a decision was carried out.
type Hold uint8

const (
	// NotHeld: it was.
	NotHeld Hold = iota
	// Observing: the controller only watches.
	Observing
	// ByStop: somebody has stopped it.
	ByStop
	// Unsaved: the store could not be written, and nothing is asked of EC2 before
	// it is saved.
	Unsaved
	// Superseded: another controller has taken over.
	Superseded
	// ByClock: this machine's clock and the queue's are apart, or this one went
	// back. Nothing is even decided: no age can be believed.
	ByClock
)

// Holds are the reasons there are.
var Holds = []Hold{Observing, ByStop, Unsaved, Superseded, ByClock}

var holdWords = [...]string{"", "observe", "stop", "unsaved", "superseded", "clock"}

// String returns the word; empty for NotHeld.
func (h Hold) String() string { return holdWords[h] }
