package journal_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/skynet-ec2/skynet/policy"
	"github.com/skynet-ec2/skynet/policy/journal"
)

var noon = time.Date(2008, 6, 1, 12, 0, 0, 0, time.UTC)

// counter is a policy that counts its steps and launches every third one.
type counter struct {
	steps  int
	broken bool // it forgets to count the fifth
}

var ruleCount = policy.NewRule("journal.count", "%s: step %.0f", true)

func (c *counter) Step(o *policy.Observation) policy.Decision {
	c.steps++
	if c.broken && c.steps == 5 {
		c.steps++
	}
	d := policy.Decision{Because: []policy.Reason{ruleCount.Named("steps", float64(c.steps))}}
	if c.steps%3 == 0 {
		d.Launches = []policy.Launch{{Type: 1, Count: c.steps, Else: []policy.Substitute{{Type: 0, Num: 2, Den: 1}}}}
		d.Drains = []policy.InstanceID{7}
	}
	return d
}

func (c *counter) MarshalJSON() ([]byte, error) {
	return fmt.Appendf(nil, `{"steps":%d}`, c.steps), nil
}

func (c *counter) UnmarshalJSON(text []byte) error {
	_, err := fmt.Sscanf(string(text), `{"steps":%d}`, &c.steps)
	return err
}

func header() journal.Header {
	return journal.Header{
		Program: "test", World: journal.Simulated, Scenario: "none", Seed: 1, Start: noon,
		Policy: journal.Policy{Name: "counter", Label: "counter@1"}, Tick: time.Minute,
		Classes: []policy.Class{{Name: "all", Target: time.Minute, Attain: 0.9, Priority: -1}},
		Guard:   policy.Open(20), Catalog: policy.EC2in2008(),
	}
}

// observation is what is known at the n-th minute.
func observation(n int) *policy.Observation {
	o := &policy.Observation{Now: noon.Add(time.Duration(n) * time.Minute), Tick: time.Minute}
	o.Queue = policy.QueueView{Reading: policy.Reading{At: o.Now, Complete: true}, Kinds: []policy.KindView{{Type: "photo", Pending: policy.Flow{Jobs: int64(n), Work: 1.5}}}}
	o.Fleet.Reading, o.Money.Reading = o.Queue.Reading, o.Queue.Reading
	return o
}

// record writes n decisions, from the number first on.
func record(w io.Writer, p policy.Policy, first, n int) error {
	h := header()
	j := journal.NewWriter(w, h, int64(first))
	for i := range n {
		o := observation(first + i)
		j.Before(o, p)
		wanted := p.Step(o)
		d := h.Guard.Clamp(o, &h.Catalog, wanted)
		j.Decided(o, &d, journal.Removed{Launches: wanted.Instances() - d.Instances(), Drains: len(wanted.Drains) - len(d.Drains)}, p)
		if i%2 == 0 {
			j.Became(journal.Outcome{Launched: d.Instances()})
		}
	}
	return j.Close()
}

// written returns the text of a journal.
func written(t *testing.T, p policy.Policy, first, n int) string {
	t.Helper()
	var b bytes.Buffer
	if err := record(&b, p, first, n); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// sources are texts as the files of a journal.
func sources(texts ...string) []journal.Source {
	var all []journal.Source
	for i, text := range texts {
		all = append(all, journal.Source{Name: fmt.Sprintf("j%d", i+1), Open: func() (io.ReadCloser, error) {
			return io.NopCloser(strings.NewReader(text)), nil
		}})
	}
	return all
}

// replay replays texts.
func replay(tear bool, x journal.Replay, texts ...string) (*journal.Report, error) {
	if x.New == nil {
		x.New = func(*journal.Header) (policy.Policy, error) { return &counter{}, nil }
	}
	if x.Most == 0 {
		x.Most = 10
	}
	r := journal.NewReader(sources(texts...)...)
	r.Tear = tear
	defer r.Close()
	return x.Run(r)
}

// TestReplayIsIdentical: what is recorded is replayed to the byte, from one file
// or two, in whole or from some time on.
func TestReplayIsIdentical(t *testing.T) {
	p := &counter{}
	one := written(t, p, 0, 130)
	two := written(t, p, 130, 70) // a restart with its state
	report, err := replay(false, journal.Replay{}, one, two)
	if err != nil {
		t.Fatal(err)
	}
	if !report.Same() || report.Decisions != 200 || report.States != 5 || report.Headers != 2 || report.Breaks != nil {
		t.Errorf("%+v", report)
	}
	for _, from := range []int{0, 1, 59, 60, 61, 129, 130, 131, 199} {
		x := journal.Replay{From: noon.Add(time.Duration(from) * time.Minute)}
		report, err := replay(false, x, one, two)
		if err != nil || !report.Same() || report.Decisions != int64(200-from) {
			t.Errorf("from %d: %v, %+v", from, err, report)
		}
		x.To = x.From.Add(time.Minute)
		if report, err = replay(false, x, one, two); err != nil || report.Decisions != 1 || !report.First.Equal(x.From) {
			t.Errorf("at %d: %v, %+v", from, err, report)
		}
	}
	if _, err := replay(false, journal.Replay{From: noon.Add(time.Hour * 100)}, one); err == nil || !strings.Contains(err.Error(), "no decision in that time") {
		t.Errorf("after the end: %v", err)
	}
}

// TestGuardIsReplayed: what the guard removed is part of the record.
func TestGuardIsReplayed(t *testing.T) {
	text := written(t, &counter{}, 0, 40)
	if !strings.Contains(text, `"removed":{"launches":1}`) || !strings.Contains(text, "guard.fleet") {
		t.Fatal("the guard did nothing: the test is of no use")
	}
	if _, err := replay(false, journal.Replay{}, strings.Replace(text, `"fleet_max":20`, `"fleet_max":19`, 1)); err != nil {
		t.Fatal(err)
	}
	report, _ := replay(false, journal.Replay{}, strings.Replace(text, `"fleet_max":20`, `"fleet_max":19`, 1))
	if report.Same() {
		t.Error("another guard decides the same")
	}
}

// TestChangedLimits: a decision that passed another guard than the header's says
// which, and is replayed with it.
func TestChangedLimits(t *testing.T) {
	var b bytes.Buffer
	h, p := header(), &counter{}
	j := journal.NewWriter(&b, h, 0)
	for i := range 9 {
		guard := h.Guard
		if i > 2 && i < 7 {
			guard.LaunchMax = 1
		}
		j.Limits(guard)
		o := observation(i)
		j.Before(o, p)
		wanted := p.Step(o)
		d := guard.Clamp(o, &h.Catalog, wanted)
		j.Decided(o, &d, journal.Removed{Launches: wanted.Instances() - d.Instances()}, p)
		j.Became(journal.Outcome{})
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	text := b.String()
	if n := strings.Count(text, `"guard":{`); n != 1+4 { // the header's, and four
		t.Fatalf("%d guards in\n%s", n, text)
	}
	for _, text := range []string{text, strings.ReplaceAll(text, `"guard":{`, `"guard": {`)} {
		report, err := replay(false, journal.Replay{}, text)
		if err != nil || !report.Same() {
			t.Errorf("%v, %+v", err, report)
		}
	}
	report, err := replay(false, journal.Replay{}, strings.ReplaceAll(text, `"guard":{"launch_max":1,`, `"guard":{"launch_max":2,`))
	if err != nil || report.Same() || report.Differences[0].ID != 5 {
		t.Errorf("with other limits: %v, %+v", err, report)
	}
}

// TestDifferencesAreNamed changes one thing in a journal and expects its name.
func TestDifferencesAreNamed(t *testing.T) {
	text := written(t, &counter{}, 0, 130)
	for _, c := range []struct {
		old, new   string
		id         int64
		field      string
		was, isNow string
	}{
		{`"count":12}`, `"count":13}`, 11, "decision.launches[0].count", "13", "12"},
		{`"drains":[7],"because":[{"rule":"journal.count","name":"steps","figures":[15]`, `"because":[{"rule":"journal.count","name":"steps","figures":[15]`, 14, "decision.drains", "nothing", "[7]"},
		{`"figures":[10],`, `"figures":[11],`, 9, "decision.because[0].figures[0]", "11", "10"},
		{`"text":"steps: step 20"`, `"text":"steps: step 2"`, 19, "decision.because[0].text", `"steps: step 2"`, `"steps: step 20"`},
		{`"removed":{"launches":1}`, `"removed":{"launches":2}`, 20, "removed", "{2 0}", "{1 0}"},
		{`"state":{"steps":60}`, `"state":{"steps":61}`, 60, "state.steps", "61", "60"},
	} {
		if strings.Count(text, c.old) != 1 {
			t.Fatalf("%s stands %d times", c.old, strings.Count(text, c.old))
		}
		report, err := replay(false, journal.Replay{}, strings.Replace(text, c.old, c.new, 1))
		if err != nil {
			t.Errorf("%s: %v", c.new, err)
			continue
		}
		if len(report.Differences) != 1 {
			t.Errorf("%s: %d differences: %+v", c.new, len(report.Differences), report.Differences)
			continue
		}
		d := report.Differences[0]
		if d.ID != c.id || d.Field != c.field || d.Recorded != c.was || d.Now != c.isNow {
			t.Errorf("%s: %+v", c.new, d)
		}
		if want := noon.Add(time.Duration(c.id) * time.Minute); !d.At.Equal(want) || d.File != "j1" || d.Line < int(c.id)+2 {
			t.Errorf("%s: at %v, %s:%d", c.new, d.At, d.File, d.Line)
		}
	}
	// another hash of the state, and a policy that goes wrong on its own
	at := strings.Index(text, `"state_hash":"`) + len(`"state_hash":"`)
	report, err := replay(false, journal.Replay{}, text[:at]+"0123456789abcdef0123456789abcdef"+text[at+32:])
	if err != nil || len(report.Differences) != 1 || report.Differences[0].Field != "state_hash" || report.Differences[0].ID != 0 {
		t.Errorf("%v, %+v", err, report)
	}
	report, err = replay(false, journal.Replay{New: func(*journal.Header) (policy.Policy, error) { return &counter{broken: true}, nil }}, text)
	if err != nil || report.Same() || report.Differences[0].ID != 4 || report.Differences[0].Field != "decision.because[0].figures[0]" {
		t.Errorf("%v, %+v", err, report)
	}
}

// TestAnotherPolicy: only what it does is compared, not why.
func TestAnotherPolicy(t *testing.T) {
	text := written(t, &counter{}, 0, 30)
	other := journal.Replay{Other: true, New: func(*journal.Header) (policy.Policy, error) { return &counter{steps: 300}, nil }}
	report, err := replay(false, other, text)
	if err != nil {
		t.Fatal(err)
	}
	if report.Differing != 6 || report.Differences[0].Field != "decision.launches[0].count" { // from the 20th on, both ask for all that the guard allows
		t.Errorf("%+v", report)
	}
}

// TestRestartWithoutItsState is noted, and is no difference.
func TestRestartWithoutItsState(t *testing.T) {
	one, two := written(t, &counter{}, 0, 10), written(t, &counter{}, 10, 10)
	report, err := replay(false, journal.Replay{}, one, two)
	if err != nil || !report.Same() || len(report.Breaks) != 1 || report.Breaks[0] != (journal.Break{File: "j2", Line: 2, ID: 10}) {
		t.Errorf("%v, %+v", err, report)
	}
}

// TestDecidedAgain: a controller that cannot save decides and records on; the
// next one begins again where it was last saved. Only a live journal does that,
// and only later.
func TestDecidedAgain(t *testing.T) {
	live := func(text string) string { return strings.Replace(text, `"simulated"`, `"live"`, 1) }
	lead := func(first, hours, n int) string { // the numbers do not tell the time any more
		text := written(t, &counter{}, first+hours*60, n)
		for i := range n + 1 {
			for _, key := range []string{`{"id":`, `{"before":`} {
				text = strings.ReplaceAll(text, fmt.Sprintf("%s%d,", key, first+hours*60+i), fmt.Sprintf("%s%d,", key, first+i))
			}
		}
		return live(text)
	}
	one, two := live(written(t, &counter{}, 0, 10)), lead(4, 1, 10)
	for name, x := range map[string]struct {
		journal.Replay
		decisions int64
	}{
		"whole":       {journal.Replay{}, 20},
		"second lead": {journal.Replay{From: noon.Add(time.Hour)}, 10},
		"both":        {journal.Replay{From: noon.Add(5 * time.Minute)}, 15},
	} {
		report, err := replay(false, x.Replay, one, two)
		if err != nil || !report.Same() || report.Decisions != x.decisions {
			t.Errorf("%s: %v, %+v", name, err, report)
		}
	}
	if _, err := replay(false, journal.Replay{}, two, one); err == nil || !strings.Contains(err.Error(), "out of order") {
		t.Errorf("in the wrong order: %v", err)
	}
	if _, err := replay(false, journal.Replay{}, one, lead(14, 1, 2)); err == nil || !strings.Contains(err.Error(), "missing") {
		t.Errorf("a file is missing: %v", err)
	}
	asRun := func(text string) string { return strings.Replace(text, `"live"`, `"simulated"`, 1) }
	if _, err := replay(false, journal.Replay{}, asRun(one), asRun(two)); err == nil || !strings.Contains(err.Error(), "out of order") {
		t.Errorf("of a simulation: %v", err)
	}
}

// TestTornJournals cuts a journal off at every byte of its last lines: without
// Tear that is an error that names the line, with it the rest is read.
func TestTornJournals(t *testing.T) {
	text := written(t, &counter{}, 0, 10)
	lines := strings.SplitAfter(text, "\n")
	whole := len(text) - len(lines[len(lines)-2]) - len(lines[len(lines)-3])
	kept := 0
	for cut := whole + 1; cut < len(text); cut++ {
		if text[cut-1] == '\n' {
			continue // nothing tells
		}
		_, err := replay(false, journal.Replay{}, text[:cut])
		if !errors.Is(err, journal.ErrTorn) || !strings.HasPrefix(err.Error(), "j1:1") {
			t.Fatalf("cut at %d: %v", cut, err)
		}
		report, err := replay(true, journal.Replay{}, text[:cut])
		if err != nil || !report.Same() || len(report.Torn) != 1 {
			t.Fatalf("cut at %d: %v, %+v", cut, err, report)
		}
		want := int64(strings.Count(text[:cut], "\n") - 2)
		if report.Torn[0].Kept {
			kept++
			want++
		}
		if report.Decisions != want {
			t.Fatalf("cut at %d: %d decisions, want %d", cut, report.Decisions, want)
		}
	}
	// the outcome is missing, the brace after it, the line feed; or, of the line
	// without an outcome, one of the last two
	if kept != 3+2 {
		t.Errorf("%d cuts left the decision whole, want 5", kept)
	}
	// a compressed file that ends early, at the end of a line
	r := journal.NewReader(journal.Source{Name: "z", Open: func() (io.ReadCloser, error) {
		return io.NopCloser(io.MultiReader(strings.NewReader(text[:whole]), failing{io.ErrUnexpectedEOF})), nil
	}})
	r.Tear = true
	x := journal.Replay{New: func(*journal.Header) (policy.Policy, error) { return &counter{}, nil }}
	report, err := x.Run(r)
	if err != nil || report.Decisions != 8 || len(report.Torn) != 1 {
		t.Errorf("%v, %+v", err, report)
	}
	// a header that is cut off says nothing about anything
	if _, err := replay(true, journal.Replay{}, text[:30]); !errors.Is(err, journal.ErrTorn) {
		t.Errorf("cut in the header: %v", err)
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// TestCorruptJournals: every damage is an error that names file and line.
func TestCorruptJournals(t *testing.T) {
	text := written(t, &counter{}, 0, 70)
	lines := strings.SplitAfter(text, "\n")
	change := func(line int, old, new string) string {
		l := append([]string(nil), lines...)
		if !strings.Contains(l[line-1], old) {
			t.Fatalf("line %d holds no %s: %s", line, old, l[line-1])
		}
		l[line-1] = strings.Replace(l[line-1], old, new, 1)
		return strings.Join(l, "")
	}
	without := func(line int) string {
		return strings.Join(append(append([]string(nil), lines[:line-1]...), lines[line:]...), "")
	}
	for name, c := range map[string]struct{ text, want string }{
		"empty":            {"", "j1: there is no header"},
		"not a journal":    {"hello\n", "j1:1: a journal begins with a header"},
		"no header":        {without(1), "j1:1: a journal begins with a header"},
		"no state":         {without(2), "j1:2: decision #0: no state stands before it"},
		"a line missing":   {without(5), "j1:5: decision #3: must be #2"},
		"two lines":        {change(5, "\n", "\n"+lines[4]), "j1:6: decision #2: must be #3"},
		"another format":   {change(1, `"version":1`, `"version":2`), "j1:1: version = 2: this program reads journals of format 1"},
		"another world":    {change(1, `"simulated"`, `"simulate"`), `j1:1: header: world = "simulate": must be simulated or live`},
		"no tick":          {change(1, `"tick":60000000000`, `"tick":0`), "j1:1: header: tick = 0: must be at least"},
		"an unknown key":   {change(1, `"world"`, `"word"`), `j1:1: header: json: unknown field "word"`},
		"a bad catalog":    {change(1, `"speed":2`, `"speed":-2`), "j1:1: header: catalog: m1.large: speed = -2"},
		"no JSON":          {change(7, `"now"`, `"now`), "j1:7: decision: invalid character"},
		"half a line":      {change(7, `,"decision"`, "\n"), "j1:7: decision: the line ends within its JSON"},
		"an unknown input": {change(7, `"tick"`, `"tock"`), `j1:7: decision: json: unknown field "tock"`},
		"a wrong type":     {change(7, `"kinds":[`, `"kinds":[1,`), "j1:7: decision: json: cannot unmarshal number"},
		"a wrong word":     {change(7, `{"type":"photo"`, `{"type":5`), "j1:7: decision: json: cannot unmarshal number"},
		"no decision":      {change(7, `"decision":`, `"decision":null,"x":`), "j1:7: decision: json: unknown field"},
		"other times":      {change(7, `"at":"2008-06-01T12:04`, `"at":"2008-06-01T12:05`), "j1:7: decision #4: at 2008-06-01 12:05"},
		"garbage between":  {change(7, `{"id"`, `garbage{"id"`), `j1:7: begins with "garbage{\"id\":`},
		"a torn state":     {change(2, `}}`, `}`), "j1:2: state: the line ends within its JSON"},
		"a wrong state":    {change(2, `"state":{"steps":0}`, `"state":{"stops":0}`), "j1:2: state: "},
		"a deep decision":  {change(7, `"decision":{`, `"decision":{"x":`+strings.Repeat("[", 1e6)+strings.Repeat("]", 1e6)+","), "j1:7: decision #4: recorded: values lie in each other more than 100 deep"},
		"a long line":      {change(7, `{"id"`, strings.Repeat("x", journal.LineMax)), "j1:7: the line is longer than 16 MiB: this is no journal"},
		"a bad class":      {change(1, `"attain":0.9`, `"attain":9`), "j1:1: header: classes[0]: target = 60000000000, attain = 9"},
		"NUL bytes":        {change(9, `{"id"`, "\x00\x00\x00"), "j1:9: begins with"},
	} {
		_, err := replay(false, journal.Replay{}, c.text)
		if err == nil || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%s: %v, want %s…", name, err, c.want)
		}
		var bad interface{ BadInput() bool }
		if err != nil && (!errors.As(err, &bad) || !bad.BadInput()) {
			t.Errorf("%s: is not called bad input", name)
		}
	}
}

// TestOtherSpellings: a line that says the same in other words is read all the
// same.
func TestOtherSpellings(t *testing.T) {
	text := written(t, &counter{}, 0, 5)
	spaced := strings.ReplaceAll(strings.ReplaceAll(text, `"now":`, `"now" : `), `,"money":`, `, "money":`)
	escaped := strings.ReplaceAll(text, `"type":"photo"`, `"type":"ph\u006fto"`)
	for _, other := range []string{spaced, escaped} {
		report, err := replay(false, journal.Replay{}, other)
		if err != nil || !report.Same() {
			t.Errorf("%v, %+v", err, report)
		}
	}
}

// TestPanicsAreNamed: a policy that panics does so again, as an error.
func TestPanicsAreNamed(t *testing.T) {
	text := written(t, &counter{}, 0, 5)
	_, err := replay(false, journal.Replay{New: func(*journal.Header) (policy.Policy, error) { return &panicking{}, nil }}, text)
	if err == nil || err.Error() != "j1:5: decision #2: the policy panicked: no" {
		t.Error(err)
	}
}

type panicking struct{ counter }

func (p *panicking) Step(o *policy.Observation) policy.Decision {
	if p.steps == 2 {
		panic("no")
	}
	return p.counter.Step(o)
}

// TestWriterKeepsItsError: after the first, nothing is written.
func TestWriterKeepsItsError(t *testing.T) {
	full := errors.New("disk full")
	w := &limited{left: 2000, err: full}
	p := &counter{}
	if err := record(w, p, 0, 10); !errors.Is(err, full) {
		t.Errorf("%v", err)
	}
	if w.after > 0 {
		t.Errorf("%d writes after the error", w.after)
	}
	var o policy.Observation
	o.History.Level = -1 / zero
	var b bytes.Buffer
	j := journal.NewWriter(&b, header(), 0)
	j.Before(&o, p)
	if err := j.Decided(&o, &policy.Decision{}, journal.Removed{}, p); err == nil || !strings.Contains(err.Error(), "decision #0: level -Inf") {
		t.Errorf("%v", err)
	}
	if err := j.Close(); err == nil || !strings.HasSuffix(b.String(), "}\n") {
		t.Errorf("%v: %s", err, b.String())
	}
	if err := journal.NewWriter(io.Discard, header(), 0).Became(journal.Outcome{}); err == nil {
		t.Error("an outcome of nothing was accepted")
	}
}

var zero float64

type limited struct {
	left, after int
	err         error
}

func (l *limited) Write(p []byte) (int, error) {
	if l.left < 0 {
		l.after++
	}
	if l.left -= len(p); l.left < 0 {
		return 0, l.err
	}
	return len(p), nil
}

// FuzzReader: no text makes a reader panic, and what it reads it could have
// written.
func FuzzReader(f *testing.F) {
	var b bytes.Buffer
	if err := record(&b, &counter{}, 0, 3); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes(), false)
	f.Add(b.Bytes()[:b.Len()-9], true)
	f.Add([]byte(`{"version":1,"world":"live","policy":{"name":"x"}}`+"\n"), true)
	f.Fuzz(func(t *testing.T, text []byte, tear bool) {
		r := journal.NewReader(sources(string(text))...)
		r.Tear = tear
		defer r.Close()
		last := int64(-1)
		for {
			line, err := r.Next()
			if err != nil {
				var named *journal.Error
				if err != io.EOF && !errors.As(err, &named) {
					t.Fatalf("%T: %v", err, err)
				}
				return
			}
			if rec, ok := line.(*journal.Record); ok {
				if rec.ID <= last && last >= 0 {
					t.Fatalf("#%d after #%d", rec.ID, last)
				}
				last = rec.ID
				d, err := rec.Decode()
				if err == nil && d == nil {
					t.Fatal("neither a decision nor an error")
				}
			}
		}
	})
}

// A clairvoyant policy is made for a simulated world and for no other.
func TestNoLiveWorldIsClairvoyant(t *testing.T) {
	made := &counter{}
	specs := []*policy.Spec{{
		Name: "seer", Clairvoyant: true,
		New: func(policy.Env, policy.Values) (policy.Policy, error) { return made, nil },
	}}
	h := journal.Header{World: journal.Simulated, Policy: journal.Policy{Name: "seer"}}
	if p, err := h.New(specs); err != nil || p != policy.Policy(made) {
		t.Errorf("simulated: %v, %v", p, err)
	}
	h.World = journal.Live
	if p, err := h.New(specs); !errors.Is(err, policy.ErrClairvoyant) || p != nil {
		t.Errorf("live: %v, %v; want an error", p, err)
	}
}
