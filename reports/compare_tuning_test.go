package reports

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/skynet-ec2/skynet/sim/trial"
)

// tunedContest is contest with its second policy tuned.
func tunedContest(name string, hindsight bool) Contest {
	c := contest(name, 2, 7)
	used := 0.5
	t := &trial.Tuning{
		Sets: 12, KeptSets: 3, FromS: 86400, ToS: 172800, Hindsight: hindsight,
		Own:    trial.Attempt{Margin: -0.2, CostUSD: 7},
		Chosen: trial.Attempt{Kept: true, Margin: 0.5, CostUSD: 1234.5, Budget: &used, Class: "upload"},
		Params: map[string]string{"window": `"5m"`, "gain": "0.3"},
	}
	if hindsight {
		t.ToS = 0
	}
	c.Entries[1].Tuning = t
	c.Entries[1].Own = pretend(2, 7, 1.17, 0.995, 1)
	return c
}

// What was tuned, how and to what stands in Markdown, on the page, in text and
// in JSON; without tuning nothing of it does.
func TestCompareTuning(t *testing.T) {
	var c Comparison
	for i := range 3 {
		c.Add(tunedContest(fmt.Sprint("week", i), i == 1))
	}
	var b bytes.Buffer
	if err := CompareMarkdown(&b, &c, "Title"); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"where it broke one. One of the 2 others was tuned for each scenario, by at most 12 sets of parameters, its own the first, tried on the time before the judged one, in week1 on the judged time itself, hindsight in its favour; ",
		"; the better of tuned and untuned counts here; skynet kept its parameters; nothing to tune: static.\n",
		"\n## Tuning\n\n| scenario | policy | sets tried |",
		"| week0 | tuned | 12 | 3 | " + Money(7) + " ✗ | – | " + Money(1234.5) + " | 50 % (upload) | " + Money(1351.83) + " | " + Money(1328.72) + " | gain = 0.3, window = \"5m\" |",
		"| week1 (hindsight) | tuned |",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("Markdown lacks %q:\n%s", want, b.String())
		}
	}
	out := tables(t, &c)
	if !strings.Contains(out, "one of the 2 others was tuned for each scenario") || strings.Contains(out, "gain = 0.3") {
		t.Errorf("the text of many scenarios tells who was tuned, and leaves parameters to the files:\n%s", out)
	}
	if want := "tuned: tuned from tuned.toml\n"; !strings.Contains(out, want) {
		t.Errorf("lacks %q:\n%s", want, out)
	}
	page, err := CompareReport(&c, "Title").Write(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{">Tuning<", "gain = 0.3", "One of the 2 others was tuned"} {
		if !bytes.Contains(text, []byte(want)) {
			t.Errorf("the page lacks %q", want)
		}
	}
	text, err = json.Marshal(&c)
	if err != nil {
		t.Fatal(err)
	}
	if want := `"tuning":{"sets":12,"kept_sets":3,"from_s":86400,"to_s":172800,"hindsight":false,`; strings.Count(string(text), want) != 2 || strings.Count(string(text), `"tuning":`) != 3 {
		t.Errorf("JSON must have %s twice, and a third tuning in hindsight:\n%s", want, text)
	}

	var one Comparison
	one.Add(tunedContest("week", true))
	out = tables(t, &one)
	for _, want := range []string{"tried on the judged time itself, hindsight in its favour; ", "tuned: tuned by 12 sets, of which 3 kept every promise: gain = 0.3, window = \"5m\"\n"} {
		if !strings.Contains(out, want) {
			t.Errorf("lacks %q:\n%s", want, out)
		}
	}
	b.Reset()
	if err := CompareMarkdown(&b, &one, "Title"); err != nil {
		t.Fatal(err)
	}
	if want := "# Title\n\nOne of the 2 others was tuned "; !strings.HasPrefix(b.String(), want) {
		t.Errorf("must begin with %q:\n%s", want, b.String())
	}
	var plain Comparison
	plain.Add(contest("week", 2, 7))
	b.Reset()
	if err := CompareMarkdown(&b, &plain, "Title"); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(b.String(), "Tuning") || strings.Contains(b.String(), "sets of parameters") {
		t.Errorf("speaks of tuning where there was none:\n%s", b.String())
	}
}

// Who was tuned, in numbers that agree with their nouns.
func TestTunedOf(t *testing.T) {
	for _, x := range []struct {
		tuned []int
		of    int
		want  string
	}{
		{[]int{1}, 2, "the other was tuned "},
		{[]int{1, 2}, 3, "both others were tuned "},
		{[]int{2}, 3, "one of the 2 others was tuned "},
	} {
		full := tunedContest("week", false)
		tuning := full.Entries[1].Tuning
		full.Entries = full.Entries[:x.of]
		for i := range full.Entries {
			full.Entries[i].Tuning, full.Entries[i].Own = nil, nil
		}
		for _, i := range x.tuned {
			full.Entries[i].Tuning = tuning
		}
		var c Comparison
		c.Add(full)
		if got := c.tuned(); !strings.HasPrefix(got, x.want) {
			t.Errorf("got %q, want it to begin %q", got, x.want)
		}
	}
}

// Of a rival that was tuned the better counts, tuned or untuned; who breaks a
// promise does not.
func TestBestOfTunedAndUntuned(t *testing.T) {
	for _, x := range []struct {
		tuned, untuned float64 // cost
		kept, own      bool
		want           string
		wantOwn        bool
	}{
		{1.15, 1.17, true, true, "tuned", false},
		{1.15, 1.1, true, true, "tuned", true},
		{1.15, 1.1, true, false, "tuned", false},
		{1.15, 1.17, false, true, "tuned", true},
		{1.15, 1.17, false, false, "", false},
	} {
		attained := map[bool]float64{true: 0.995, false: 0.9}
		full := tunedContest("week", false)
		full.Entries[1].Trials = pretend(2, 7, x.tuned, attained[x.kept], 1)
		full.Entries[1].Own = pretend(2, 7, x.untuned, attained[x.own], 1)
		b := newBoard(full)
		got := b.best()
		if got.Rival != x.want || got.Own != x.wantOwn {
			t.Errorf("%+v: got %q, untuned %v", x, got.Rival, got.Own)
		}
		want := 1.2 / x.tuned
		if x.wantOwn {
			want = 1.2 / x.untuned
		}
		if r := float64(got.Ratio); x.want != "" && !(r > want-0.01 && r < want+0.01) {
			t.Errorf("%+v: ratio %v, want %v", x, r, want)
		}
	}
}
