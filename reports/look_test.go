package reports

import (
	"os"
	"testing"
	"time"

	"github.com/skynet-ec2/skynet/policy"
)

func TestLook(t *testing.T) {
	for name, d := range map[string]time.Duration{"hour": time.Hour, "week": 168 * time.Hour, "year": 8760 * time.Hour} {
		b := policy.Hourly
		if name == "hour" {
			b = policy.PerSecond
		}
		res := synthetic(d, b)
		t0 := time.Now()
		p, err := Write("/tmp/look/"+name, res, syntheticVerdicts(), Options{SlackTarget: 0.25})
		if err != nil {
			t.Fatal(err)
		}
		st, _ := os.Stat(p)
		t.Log(p, st.Size(), time.Since(t0))
		Verdict(os.Stdout, res, syntheticVerdicts(), Options{Reproduce: "skynet simulate scenarios/photo-week.toml --seed 1", Report: "out/index.html"})
		Verdict(os.Stdout, res, syntheticVerdicts(), Options{Width: 80, Reproduce: "skynet simulate scenarios/photo-week.toml --seed 1", Report: "out/index.html"})
	}
}
