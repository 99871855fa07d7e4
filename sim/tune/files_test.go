package tune

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// sharded runs plans in shards, the last first, and passes plan and shards
// through their files.
type sharded struct {
	t      *testing.T
	shards int
	local  *Local
}

func (s *sharded) Run(ctx context.Context, p *Plan, done func(task int, m *Metrics) error) error {
	plan := *p
	plan.Shards = s.shards
	plan.Seal()
	var text bytes.Buffer
	if err := plan.Write(&text); err != nil {
		return err
	}
	read, err := ReadPlan(&text, "plan.json")
	if err != nil {
		return err
	}
	for i := s.shards - 1; i >= 0; i-- {
		shard, err := s.local.RunShard(ctx, read, i, func() {})
		if err != nil {
			return err
		}
		text.Reset()
		if err := shard.Write(&text); err != nil {
			return err
		}
		again, err := ReadShard(&text, "shard.json", &plan, i)
		if err != nil {
			return err
		}
		from, _ := plan.Part(i)
		for j := range again.Results {
			if err := done(from+j, &again.Results[j]); err != nil {
				return err
			}
		}
	}
	return nil
}

// samplePlan is a plan of six runs in four shards.
func samplePlan() *Plan {
	p := &Plan{
		Inputs: Inputs{Version: "v", Policy: "bowl", Scenarios: []Input{{"a.toml", "s", "t"}}},
		Shards: 4,
		Folds:  []Fold{{Seed: 1}, {Seed: 2, Part: &Part{From: 0, Judge: 5, To: 9}}},
		Candidates: []Raw{
			{"x": 0.25, "c": "a", "types": []string{"c1.xlarge"}},
			{"x": 0.5, "y": "1m0s"},
			{},
		},
	}
	for f := range p.Folds {
		for c := range p.Candidates {
			p.Tasks = append(p.Tasks, Task{c, f})
		}
	}
	p.Seal()
	return p
}

func TestPlanParts(t *testing.T) {
	p := samplePlan()
	for _, shards := range []int{1, 2, 4, 6, 7, 100} {
		p.Shards = shards
		next := 0
		for i := range shards {
			from, to := p.Part(i)
			if from != next || to < from {
				t.Fatalf("%d shards: shard %d is tasks %d to %d after %d", shards, i, from, to, next)
			}
			next = to
		}
		if next != len(p.Tasks) {
			t.Errorf("%d shards hold %d of %d tasks", shards, next, len(p.Tasks))
		}
	}
}

func TestReadPlan(t *testing.T) {
	var text bytes.Buffer
	p := samplePlan()
	if err := p.Write(&text); err != nil {
		t.Fatal(err)
	}
	good := text.String()
	read, err := ReadPlan(strings.NewReader(good), "p")
	if err != nil {
		t.Fatal(err)
	}
	if read.ID != p.ID || !slices.Equal(read.Tasks, p.Tasks) || read.Candidates[1].Key() != p.Candidates[1].Key() {
		t.Errorf("read %+v, wrote %+v", read, p)
	}
	for _, c := range []struct{ name, text, want string }{
		{"cut", good[:len(good)/2], "p: not a plan: it ends in the middle"},
		{"empty", "", "p: not a plan: it ends in the middle"},
		{"a seed was changed", strings.Replace(good, `"seed": 1`, `"seed": 3`, 1), "p: its content does not fit its id: it was changed or damaged"},
		{"unknown key", strings.Replace(good, `"policy"`, `"polici"`, 1), `p: not a plan: json: unknown field "polici"`},
		{"other format", strings.Replace(good, `"skynet_plan": 1`, `"skynet_plan": 2`, 1), "p: not a plan of format 1"},
		{"two plans", good + good, "p: not a plan: something follows its end"},
		{"a task of three", strings.Replace(good, "2,\n   1\n", "2,\n   1,\n   0\n", 1), "p: not a plan: a task is a candidate and a fold"},
	} {
		if c.text == good {
			t.Fatalf("%s: nothing was changed", c.name)
		}
		if _, err := ReadPlan(strings.NewReader(c.text), "p"); err == nil || err.Error() != c.want {
			t.Errorf("%s: error %v, want %s", c.name, err, c.want)
		}
	}
	for _, c := range []struct {
		want   string
		change func(*Plan)
	}{
		{"p: task 6 names a candidate or fold that is not there", func(p *Plan) { p.Tasks = append(p.Tasks, Task{3, 0}) }},
		{"p: fold 0 makes no sense", func(p *Plan) { p.Folds[0].Scenario = 1 }},
		{"p: fold 1 makes no sense", func(p *Plan) { p.Folds[1].Part.Judge = 10 }},
		{"p: it has no task", func(p *Plan) { p.Tasks = nil }},
		{"p: it names no scenario", func(p *Plan) { p.Scenarios = nil }},
		{"p: shards = 0: must be from 1 to 10000", func(p *Plan) { p.Shards = 0 }},
	} {
		p := samplePlan()
		c.change(p)
		p.Seal()
		var text bytes.Buffer
		if err := p.Write(&text); err != nil {
			t.Fatal(err)
		}
		if _, err := ReadPlan(&text, "p"); err == nil || err.Error() != c.want {
			t.Errorf("error %v, want %s", err, c.want)
		}
	}
}

func TestReadShard(t *testing.T) {
	p, other := samplePlan(), samplePlan()
	other.Folds[0].Seed = 9
	other.Seal()
	text := func(s *Shard) string {
		var b bytes.Buffer
		if err := s.Write(&b); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	from, to := p.Part(1)
	results := make([]Metrics, to-from)
	good := text(ShardOf(p, 1, results))
	if _, err := ReadShard(strings.NewReader(good), "s", p, 1); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ text, want string }{
		{good[:len(good)-9], "s: broken shard: it ends in the middle"},
		{text(ShardOf(p, 2, results)), "s: shard 2/4, not 1/4"},
		{text(ShardOf(other, 1, results)), "s: a shard of another plan: of " + other.ID[:12] + ", not of " + p.ID[:12]},
		{strings.Replace(good, `"cost_usd": 0`, `"cost_usd": 1`, 1), "s: broken shard: its results do not fit their sha256: they were changed or damaged"},
		{text(ShardOf(p, 1, make([]Metrics, 5))), "s: broken shard: 5 results, the plan has 2 tasks for it"},
	} {
		if _, err := ReadShard(strings.NewReader(c.text), "s", p, 1); err == nil || err.Error() != c.want {
			t.Errorf("error %v, want %s", err, c.want)
		}
	}
}

// sampleLog is a log of two results.
func sampleLog(t testing.TB) (text string, in *Inputs) {
	in = &Inputs{Version: "v", Policy: "bowl", Scenarios: []Input{{"a.toml", "s", "t"}}}
	var b bytes.Buffer
	head, err := MemoryHead(in)
	if err != nil {
		t.Fatal(err)
	}
	b.Write(head)
	m := &Memory{Keep: func(line []byte) error { b.Write(line); return nil }}
	for i, c := range []Raw{{"x": 0.1}, {"y": "5m0s", "types": []string{"m1.small"}}} {
		if err := m.add(c, &Fold{Seed: uint64(i)}, &Metrics{CostUSD: 1.0 / 3}); err != nil {
			t.Fatal(err)
		}
	}
	return b.String(), in
}

func TestReadMemory(t *testing.T) {
	text, in := sampleLog(t)
	lines := strings.SplitAfter(text, "\n")
	m, good, err := ReadMemory(strings.NewReader(text), "log", in)
	if err != nil || m.Len() != 2 || good != int64(len(text)) {
		t.Fatalf("%d results, %d of %d bytes, error %v", m.Len(), good, len(text), err)
	}
	got := m.of(Raw{"types": []string{"m1.small"}, "y": "5m0s"}, &Fold{Seed: 1})
	if diff := cmp.Diff(&Metrics{CostUSD: 1.0 / 3}, got); diff != "" {
		t.Error(diff)
	}
	// However much of the last line is there: it was torn, and is dropped.
	for cut := 1; cut <= len(lines[2]); cut++ {
		m, good, err := ReadMemory(strings.NewReader(text[:len(text)-cut]), "log", in)
		if err != nil || m.Len() != 1 || good != int64(len(lines[0])+len(lines[1])) {
			t.Fatalf("%d bytes torn off: %d results, %d good bytes, error %v", cut, m.Len(), good, err)
		}
	}
	if m, good, err := ReadMemory(strings.NewReader(lines[0][:5]), "log", in); err != nil || good != 0 || m.Len() != 0 {
		t.Errorf("a torn head: %d good bytes, error %v", good, err)
	}
	other := *in
	other.Scenarios = []Input{{"a.toml", "changed", "t"}}
	for _, c := range []struct {
		text string
		in   *Inputs
		want string
	}{
		{text, &other, "log:1: the log of another tuning: scenario a.toml was another then (sha256 s, now changed)"},
		{text, &Inputs{Version: "w"}, "log:1: the log of another tuning: it was made by v, this is w"},
		{lines[1] + lines[2], in, `log:1: not a log of results: json: unknown field "candidate"`},
		{lines[0] + "{}\n" + lines[2], in, "log:2: not a result of a candidate on a fold"},
		{lines[0] + "garbage\n" + lines[2], in, "log:2: not a result: invalid character 'g' looking for beginning of value"},
	} {
		if _, _, err := ReadMemory(strings.NewReader(c.text), "log", c.in); err == nil || err.Error() != c.want {
			t.Errorf("error %v, want %s", err, c.want)
		}
	}
}

// What a reader accepts, it accepts again as it writes it.
func FuzzReadPlan(f *testing.F) {
	var text bytes.Buffer
	if err := samplePlan().Write(&text); err != nil {
		f.Fatal(err)
	}
	f.Add(text.Bytes())
	f.Add([]byte(`{"skynet_plan":1,"shards":1}`))
	f.Fuzz(func(t *testing.T, in []byte) {
		p, err := ReadPlan(bytes.NewReader(in), "p")
		if err != nil {
			return
		}
		var again bytes.Buffer
		if err := p.Write(&again); err != nil {
			t.Fatal(err)
		}
		if _, err := ReadPlan(&again, "p"); err != nil {
			t.Errorf("accepted %q, but not as written: %v", in, err)
		}
	})
}

func FuzzReadShard(f *testing.F) {
	p := samplePlan()
	from, to := p.Part(0)
	var text bytes.Buffer
	if err := ShardOf(p, 0, make([]Metrics, to-from)).Write(&text); err != nil {
		f.Fatal(err)
	}
	f.Add(text.Bytes())
	f.Fuzz(func(t *testing.T, in []byte) {
		s, err := ReadShard(bytes.NewReader(in), "s", p, 0)
		if err != nil {
			return
		}
		if s.Plan != p.ID || len(s.Results) != to-from {
			t.Errorf("accepted %q", in)
		}
	})
}

func FuzzReadMemory(f *testing.F) {
	text, in := sampleLog(f)
	f.Add([]byte(text))
	f.Add([]byte(text[:len(text)-3]))
	f.Fuzz(func(t *testing.T, log []byte) {
		m, good, err := ReadMemory(bytes.NewReader(log), "log", in)
		if err != nil {
			return
		}
		if good > int64(len(log)) {
			t.Fatalf("%d good bytes of %d", good, len(log))
		}
		again, same, err := ReadMemory(bytes.NewReader(log[:good]), "log", in)
		if err != nil || same != good || again.Len() != m.Len() {
			t.Errorf("the good part of %q: %d of %d results, %d of %d bytes, error %v", log, again.Len(), m.Len(), same, good, err)
		}
	})
}

// Two folds or candidates have one key only if they are the same.
func TestKeys(t *testing.T) {
	folds := []Fold{{}, {Seed: 1}, {Scenario: 1}, {Part: &Part{}}, {Part: &Part{To: 1}}, {Part: &Part{Judge: 1}}}
	seen := map[string]bool{}
	for i := range folds {
		seen[folds[i].key()] = true
	}
	if len(seen) != len(folds) {
		t.Errorf("%d keys of %d folds", len(seen), len(folds))
	}
	a := Raw{"a": 1.0, "b": "x", "t": []string{"m1.small"}}
	text, err := json.Marshal(a)
	if err != nil {
		t.Fatal(err)
	}
	var b Raw
	if err := json.Unmarshal(text, &b); err != nil || a.Key() != b.Key() {
		t.Errorf("%s and, read again, %s: %v", a.Key(), b.Key(), err)
	}
}
