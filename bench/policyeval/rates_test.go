package main

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// counts writes a folder of traces with a series of counts, elb.csv.
func counts(t *testing.T, text string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "importer_samples"), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "importer_samples", "elb.csv"), []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestRatesFollowTheCounts: jobs arrive in proportion to what was counted, in every
// five minutes, and what is beyond the series arrives at its last rate.
func TestRatesFollowTheCounts(t *testing.T) {
	dir := counts(t, "timestamp,value\n2014-04-10 00:04:00,10.0\n2014-04-10 00:09:00,0\n2014-04-10 00:14:00,30\n2014-04-10 00:19:00,20\n")
	c, err := readCounts(filepath.Join(dir, "importer_samples", "elb.csv"))
	if err != nil {
		t.Fatal(err)
	}
	s := rateSite(site{name: "elb", days: 1}, c)
	packed, err := s.jobs('R')
	if err != nil {
		t.Fatal(err)
	}
	byType, _ := read(t, packed)
	n := byType["photo"].per(300, 1)
	rest := 0.0
	for _, x := range n[3:] {
		rest += x / float64(len(n)-3)
	}
	if n[1] != 0 {
		t.Errorf("%v photos in five minutes without a count", n[1])
	}
	for i, want := range []float64{rest / 2, 0, 1.5 * rest} {
		if math.Abs(n[i]-want) > 5*math.Sqrt(want) {
			t.Errorf("five minutes number %d: %v photos, want about %.0f", i, n[i], want)
		}
	}
}

func TestBadCounts(t *testing.T) {
	for text, want := range map[string]string{
		"timestamp,value\n2014-04-10 00:04:00,-1\n":  `elb.csv:2: "-1" is not a count`,
		"timestamp,value\n2014-04-10 00:04:00,NaN\n": `elb.csv:2: "NaN" is not a count`,
		"timestamp,value\n2014-04-10 00:04:00,x\n":   `elb.csv:2: "x" is not a count`,
		"timestamp,value\n":                          "must be lines of a time and a count",
		"":                                           "must be lines of a time and a count",
		"timestamp,value\n1,2,3\n":                   "wrong number of fields",
	} {
		_, err := readCounts(filepath.Join(counts(t, text), "importer_samples", "elb.csv"))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
	if _, err := rateSites(t.TempDir()); err == nil {
		t.Error("a folder without the series is read")
	}
}
