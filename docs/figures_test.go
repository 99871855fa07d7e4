package docs

import (
	"fmt"
	"math"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// The figures against rivals that the pages quote are those of results.md, which a
// command writes.
func TestQuotedFiguresAreThoseOfResults(t *testing.T) {
	all, one, both := ratios(t)
	low, high := interval(t)
	for _, c := range []struct {
		page, pattern string // with a group for each figure
		want          []string
	}{
		{
			"../README.md", `in the (\d+) settings where it keeps every promise, its policy costs (\d+) % less than the best of 37 other\s+policies,[^.]*, and (\d+) % less where all buy the same one type`,
			[]string{strconv.Itoa(len(all)), less(all), less(one)},
		},
		{
			"policy.md", `it costs (0\.\d+) of the best other that does, in the geometric mean \(95 % interval over\s+these five traces: (0\.\d+) to (0\.\d+)\); (0\.\d+) with c1.xlarge\s+alone, (0\.\d+) with c1.medium too`,
			[]string{fmt.Sprintf("%.3f", mean(all)), low, high, fmt.Sprintf("%.3f", mean(one)), fmt.Sprintf("%.3f", mean(both))},
		},
		{"benchmarks.md", `geometric mean of (\d+) settings \| (0\.\d+)`, []string{strconv.Itoa(len(all)), fmt.Sprintf("%.3f", mean(all))}},
	} {
		text, err := os.ReadFile(c.page)
		if err != nil {
			t.Fatal(err)
		}
		found := regexp.MustCompile(c.pattern).FindStringSubmatch(string(text))
		if found == nil {
			t.Errorf("%s does not quote figures as %s", c.page, c.pattern)
			continue
		}
		for i, want := range c.want {
			if found[i+1] != want {
				t.Errorf("%s quotes %s, results.md comes to %s:\n%s", c.page, found[i+1], want, found[0])
			}
		}
	}
}

// interval returns the ends of the interval of their geometric mean, as results.md
// has it.
func interval(t *testing.T) (low, high string) {
	text, err := os.ReadFile("results.md")
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(`\(95 % interval (0\.\d+) to (0\.\d+), over 5 traces\) of the best other`).FindSubmatch(text)
	if found == nil {
		t.Fatal("results.md does not say how sure the mean ratio is")
	}
	return string(found[1]), string(found[2])
}

// ratios returns skynet's cost over that of the best other policy in each setting of
// results.md in which it keeps every promise: in all, with one instance type, and with
// a smaller one too.
func ratios(t *testing.T) (all, one, both []float64) {
	text, err := os.ReadFile("results.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(text), "\n## The best of the others\n")
	table, _, _ = strings.Cut(table, "\n## ")
	for _, row := range regexp.MustCompile(`(?m)^\| (\S+) \| [\d.]+× \|.*\| ([\d.]+) \|$`).FindAllStringSubmatch(table, -1) {
		r, err := strconv.ParseFloat(row[2], 64)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, r)
		if strings.HasSuffix(row[1], "-medium") {
			both = append(both, r)
		} else {
			one = append(one, r)
		}
	}
	if len(one) == 0 || len(both) == 0 {
		t.Fatal("results.md has no table of the best others")
	}
	return all, one, both
}

// mean returns the geometric mean.
func mean(x []float64) float64 {
	sum := 0.0
	for _, v := range x {
		sum += math.Log(v)
	}
	return math.Exp(sum / float64(len(x)))
}

// less returns how much less than one the mean is, in percent.
func less(x []float64) string { return fmt.Sprintf("%.0f", 100*(1-mean(x))) }
