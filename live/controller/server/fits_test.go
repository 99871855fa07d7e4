package server_test

import (
	"strings"
	"testing"
	"time"

	"github.com/skynet-ec2/skynet/live/controller"
	"github.com/skynet-ec2/skynet/policy"
)

// Who asks for what cannot be hears so: an instance that is not the fleet's, with
// the nearest that is, and a floor that the limits stand against.
func TestWishesThatCannotBe(t *testing.T) {
	s := newSite(t, func(c *controller.Config) {
		c.Caps = func() (policy.Guard, error) {
			g := policy.Open(10)
			g.CoresMax = 50
			return g, nil
		}
	})
	drain := func(id string) error {
		_, err := s.server.Fits(&controller.Wish{Kind: policy.WishDrain, Instance: id})
		return err
	}
	if err := drain("i-nosuch"); err != nil {
		t.Errorf("before anything is known: %v", err)
	}
	s.tick()
	s.now = s.now.Add(time.Minute)
	s.tick() // and sees what the first one launched
	mine := s.region.Alive()[0]
	if err := drain(mine); err != nil {
		t.Errorf("an instance of the fleet: %v", err)
	}
	if err := drain("i-nosuch"); err == nil || !strings.Contains(err.Error(), `instance = "i-nosuch": the fleet of the last decision (10:01:00Z, instances 2) has no such one`) {
		t.Errorf("another one: %v", err)
	}
	if err := drain(mine + "0"); err == nil || !strings.Contains(err.Error(), `did you mean "`) {
		t.Errorf("one that is misspelt: %v", err)
	}
	for _, c := range []struct {
		w    controller.Wish
		note string
	}{
		{controller.Wish{Kind: policy.WishFloor, Instances: 10}, ""},
		{controller.Wish{Kind: policy.WishFloor, Instances: 11}, "fleet_max = 10: "},
		{controller.Wish{Kind: policy.WishFloor, Cores: 50}, ""},
		{controller.Wish{Kind: policy.WishFloor, Cores: 51}, "cores_max = 50: "},
		{controller.Wish{Kind: policy.WishFloor, Cores: 10, Type: "m1.small"}, ""},
		{controller.Wish{Kind: policy.WishFloor, Cores: 11, Type: "m1.small"}, "fleet_max = 10: "},
		{controller.Wish{Kind: policy.WishCordon, Type: "m1.small"}, ""},
	} {
		note, err := s.server.Fits(&c.w)
		if err != nil || !strings.HasPrefix(note, c.note) || (note == "") != (c.note == "") {
			t.Errorf("%s: %q, %v, want %q", c.w, note, err, c.note)
		}
	}
}
