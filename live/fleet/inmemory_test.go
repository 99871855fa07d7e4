package fleet_test

import (
	"testing"

	"github.com/skynet-ec2/skynet/live/fleet"
	"github.com/skynet-ec2/skynet/live/fleet/fleettest"
	"github.com/skynet-ec2/skynet/policy"
)

func TestInMemoryConforms(t *testing.T) {
	catalog := policy.EC2in2008()
	fleettest.Run(t, "c1.xlarge", "m1.small", "us-east-1a", func(*testing.T) fleettest.World {
		return fleet.NewInMemory(&catalog, nil)
	})
}
