package main

import (
	"compress/gzip"
	"encoding/csv"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/skynet-ec2/skynet/policy"
)

// rateSites returns sites whose rates were recorded, as counts in five minutes, for
// something else: mentions of two companies in messages, requests to a load balancer.
// Each count is taken for the photo site's three types. No parameter was ever chosen
// on them.
func rateSites(dir string) ([]site, error) {
	all := []site{
		{name: "amzn", days: 28, rates: "nab_twitter_volume_AMZN.csv.gz"},
		{name: "fb", days: 28, rates: "nab_twitter_volume_FB.csv.gz"},
		{name: "elb", days: 14, rates: "nab_elb_request_count.csv"},
	}
	for i := range all {
		counts, err := readCounts(filepath.Join(dir, "importer_samples", all[i].rates))
		if err != nil {
			return nil, err
		}
		all[i] = rateSite(all[i], counts)
	}
	return all, nil
}

// rateSite gives a site the photo site's jobs at the rates of the counts, judged on
// the second half.
func rateSite(s site, counts []float64) site {
	s.judge = time.Duration(s.days) * day / 2
	shape := func(t float64) float64 { return counts[min(int(t/300), len(counts)-1)] }
	s.streams = []stream{
		{kind: "photo", busy: 15.6, mean: 8, scv: 0.6, shape: shape},
		{kind: "watermark", priority: 1, busy: 4.4, mean: 12, scv: 0.4, shape: shape},
		{kind: "video", priority: 2, busy: 10, mean: 80, scv: 0.9, shape: shape},
	}
	s.classes = []policy.Class{promise("photo", 30, 0.99), promise("watermark", 120, 0.95), promise("video", 1800, 0.95)}
	return s
}

// readCounts reads the second column of a CSV file with a header: what was counted in
// five minutes after five.
func readCounts(path string) ([]float64, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var in io.Reader = f
	if strings.HasSuffix(path, ".gz") {
		if in, err = gzip.NewReader(f); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
	}
	rows, err := csv.NewReader(in).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if len(rows) < 2 || len(rows[0]) != 2 {
		return nil, fmt.Errorf("%s: must be lines of a time and a count, below a header", path)
	}
	counts := make([]float64, len(rows)-1)
	for i, row := range rows[1:] {
		if counts[i], err = strconv.ParseFloat(row[1], 64); err != nil || !(counts[i] >= 0 && counts[i] < 1e12) {
			return nil, fmt.Errorf("%s:%d: %q is not a count", path, i+2, row[1])
		}
	}
	return counts, nil
}
