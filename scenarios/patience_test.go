package scenarios

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// Work is served in time however long it may wait, from twenty minutes to longer than
// ages are told apart, whatever an hour costs and whoever sees its like for the
// first time.
func TestLongPromisesAreKept(t *testing.T) {
	for _, target := range []string{"20m", "75m", "2h", "6h", "20h", "30h"} {
		for _, billing := range []string{"hourly", "per-second"} {
			t.Run(target+" "+billing, func(t *testing.T) {
				path := filepath.Join(t.TempDir(), "patient.toml")
				text := fmt.Sprintf(`
duration = "72h"
judge_from = "2h"
[generate]
model = "poisson"
[[generate.stream]]
type = "report"
per_second = 0.02
service = { mean = "2m" }
[[class]]
name = "reports"
on = "wait"
target = %q
attain = 0.95
[cloud]
billing = %q
boot = { model = "fixed", value = "5m" }
max_instances = 50
[policy]
name = "skynet"
`, target, billing)
				if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
					t.Fatal(err)
				}
				_, r := play(t, path, Replace{}, nil)
				if c := r.Figures.Classes["reports"]; *c.Attained < 0.95 {
					t.Errorf("%.2f %% within %s, %d of %d done, %d launched", 100**c.Attained, target, r.Figures.Jobs.Completed, r.Figures.Jobs.Arrived, r.Figures.Instances.Launched)
				}
			})
		}
	}
}
