package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/skynet-ec2/skynet/cmd/cli"
)

// simClockTimeout bounds how long a region is asked for its clock.
const simClockTimeout = 3 * time.Second

// checkRegionTime refuses a simulated region (skynetd ec2sim) that lives at
// another speed than this machine: its boots and bills would be over before the
// queue's workers could have worked, since queue, workers and controller live by
// this machine's clock. endpoint is where EC2's calls go; a region that does not
// say how it lives is EC2, or does as EC2 does.
func checkRegionTime(ctx context.Context, endpoint string) error {
	ctx, cancel := context.WithTimeout(ctx, simClockTimeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(endpoint, "/")+"/_sim/clock", nil)
	if err != nil {
		return nil // whoever calls EC2 there will say what is wrong with it
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil
	}
	defer answer.Body.Close()
	var clock struct {
		Speed float64 `json:"speed"`
	}
	if answer.StatusCode != http.StatusOK || json.NewDecoder(answer.Body).Decode(&clock) != nil || clock.Speed == 0 || clock.Speed == 1 {
		return nil
	}
	return cli.UsageError(fmt.Errorf("the simulated region at %s lives at %g times the speed of this machine's clock, by which the queue, its workers and the controller live: start ec2sim with --speed 1", endpoint, clock.Speed))
}
