package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/skynet-ec2/skynet/scenarios"
	"github.com/skynet-ec2/skynet/sim"
)

// Whoever watches a demo for five minutes sees its fleet grow with the crowd and
// shrink behind it, and the promises kept: the demo's scenario under the demo's own
// uploads, each of which takes what it takes on an idle machine.
func TestADemosFleetFollowsItsCrowds(t *testing.T) {
	const lasts = 5 * time.Minute
	uploads := strings.Builder{}
	uploads.WriteString("arrival_s,service_s,type,priority\n")
	photos, videos := newPhotos(), newVideos()
	for n := range int(lasts.Seconds()) {
		uploads.WriteString(strings.Repeat(fmt.Sprintf("%d,3,video,0\n", n), videos.due(n)))
		uploads.WriteString(strings.Repeat(fmt.Sprintf("%d,0.3,resize,0\n", n), photos.due(n)))
	}
	dir := t.TempDir()
	head, rest, _ := strings.Cut(demoScenario, "[generate]")
	_, tail, _ := strings.Cut(rest, "[[class]]")
	head = strings.Replace(head, `duration = "1h"`, fmt.Sprintf("duration = %q", lasts), 1)
	for name, text := range map[string]string{
		"uploads.csv": uploads.String(),
		"demo.toml":   head + "[trace]\nfile = \"uploads.csv\"\n[[class]]" + tail,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	scenario, err := scenarios.Load(filepath.Join(dir, "demo.toml"))
	if err != nil {
		t.Fatal(err)
	}
	world, err := scenario.World()
	if err != nil {
		t.Fatal(err)
	}
	run, err := world.Run(t.Context(), nil, 1, sim.Options{Timeline: true})
	if err != nil {
		t.Fatal(err)
	}
	var sizes []int
	most, least := 0, 1000 // least since it was largest
	for i := range run.Ticks {
		n := int(run.Ticks[i].Instances)
		sizes = append(sizes, n)
		if n >= most {
			most, least = n, n
		}
		least = min(least, n)
	}
	if most < 4 || least > most/2 {
		t.Errorf("the fleet grows to %d and shrinks to %d: %d", most, least, sizes)
	}
	for _, name := range []string{"photos", "videos"} {
		if c := run.Figures.Classes[name]; c == nil || c.Attained == nil || *c.Attained < 0.9 {
			t.Errorf("%s: %+v", name, c)
		}
	}
}
