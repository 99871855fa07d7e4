package sim

import (
	"context"
	"testing"
	"time"
)

// The timeline shows the world, not what a policy is made to believe of it,
// and the work that was offered.
func TestTimelineIsTrue(t *testing.T) {
	cfg := tiny()
	cfg.Duration = 5 * time.Minute
	cfg.Faults = []Fault{{Kind: Zero, From: 90 * s, To: 4 * time.Minute, Signals: []string{"fleet"}}}
	list := []job{do(0, 1*s), do(130*s, 1*s), do(140*s, 1*s)}
	res, err := Run(context.Background(), cfg, plan{0: launch(3)}.policy(cfg), newJobs(list), Options{Timeline: true})
	if err != nil {
		t.Fatal(err)
	}
	if row := res.Ticks[2]; row.Ready != 3 || row.Instances != 3 {
		t.Errorf("at %v: %d slots ready, want 3", row.At, row.Ready)
	}
	// one job of a second is known: two jobs are estimated as two core-seconds
	if row := res.Ticks[3]; row.Offered < 2./60*0.99 || row.Offered > 2./60*1.01 {
		t.Errorf("at %v: %v core-seconds a second were offered, want 2/60", row.At, row.Offered)
	}
}
