package sqlstore_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/skynet-ec2/skynet/live/controller"
	"github.com/skynet-ec2/skynet/policy"
)

// Fleets that claim at the same time, from processes of their own, never claim more
// than there is; and who was fenced claims nothing.
func TestClaims(t *testing.T) {
	stores(t, func(t *testing.T, open func() controller.Store) {
		const fleets, most = 6, 20
		errFull := errors.New("full")
		claims := map[controller.Store]controller.Claims{}
		claimsOf := func(s controller.Store) controller.Claims {
			if c, ok := s.(controller.Claims); ok {
				return c
			}
			if claims[s] == nil {
				claims[s] = controller.NewMemoryClaims(s.(*controller.Memory))
			}
			return claims[s]
		}
		var wait sync.WaitGroup
		var mu sync.Mutex
		full, taken := 0, 0
		for i := range fleets {
			s, name := open(), fmt.Sprint("fleet-", i)
			c := claimsOf(s)
			epoch, err := s.Lead(t.Context(), name, "a", time.Minute)
			if err != nil {
				t.Fatal(err)
			}
			wait.Go(func() {
				for n := range 12 {
					want := int64((n*7+i*3)%9 + 1)
					err := c.Claim(t.Context(), name, epoch, controller.Claim{Exposure: policy.Exposure{Instances: want}, Day: 5}, func(others []controller.Claim) error {
						sum := want
						for _, o := range others {
							sum += o.Instances
						}
						if sum > most {
							return errFull
						}
						return nil
					})
					mu.Lock()
					switch {
					case errors.Is(err, errFull):
						full++
					case err != nil:
						t.Error(err)
					default:
						taken++
					}
					mu.Unlock()
					others, err := c.Claimed(t.Context(), "nobody")
					if err != nil {
						t.Error(err)
					}
					sum := int64(0)
					for _, o := range others {
						sum += o.Instances
					}
					if sum > most {
						t.Errorf("%d claimed of %d", sum, most)
					}
				}
			})
		}
		wait.Wait()
		if full == 0 || taken == 0 {
			t.Errorf("%d claims were taken down and %d refused", taken, full)
		}
		s := open()
		if err := claimsOf(s).Claim(t.Context(), "fleet-0", 99, controller.Claim{}, func([]controller.Claim) error { return nil }); !errors.Is(err, controller.ErrFenced) {
			t.Errorf("a claim of another epoch: %v", err)
		}
	})
}
