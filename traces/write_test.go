package traces

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/skynet-ec2/skynet/policy/draw"
)

// job is one job of a trace, spelt out, for tests.
type job struct {
	Arrival, Service   int64
	Kind               Kind
	Estimate, Deadline int64
	BytesIn, BytesOut  int64
	Tenant             string
}

// jobsOf reads src to its end and closes it. It checks what every Source
// promises.
func jobsOf(t testing.TB, src Source) []job {
	t.Helper()
	jobs, err := readJobs(t, src)
	if err != nil {
		t.Fatal(err)
	}
	return jobs
}

func readJobs(t testing.TB, src Source) (jobs []job, err error) {
	t.Helper()
	defer src.Close()
	var b Batch
	var kinds []Kind
	last := int64(0)
	for {
		err := src.Next(&b)
		if err == io.EOF {
			break
		}
		if err != nil {
			return jobs, err
		}
		if b.Len() == 0 || len(b.Service) != b.Len() || len(b.Kind) != b.Len() {
			t.Fatalf("batch of %d arrivals, %d services, %d kinds", b.Len(), len(b.Service), len(b.Kind))
		}
		if b.First != int64(len(jobs)) {
			t.Fatalf("batch begins at %d, want %d", b.First, len(jobs))
		}
		if len(b.Kinds) < len(kinds) || !slices.Equal(b.Kinds[:len(kinds)], kinds) {
			t.Fatalf("kinds changed from %v to %v", kinds, b.Kinds)
		}
		kinds = append(kinds[:0], b.Kinds...)
		for i, at := range b.Arrival {
			if at < last || b.Service[i] <= 0 {
				t.Fatalf("job %d: arrival %d after %d, service %d", len(jobs), at, last, b.Service[i])
			}
			last = at
			j := job{Arrival: at, Service: b.Service[i], Kind: b.Kinds[b.Kind[i]]}
			for c, dst := range []*int64{&j.Estimate, &j.Deadline, &j.BytesIn, &j.BytesOut} {
				if col := *b.optional()[c]; col != nil {
					*dst = col[i]
				}
			}
			if b.Tenant != nil {
				j.Tenant = b.Tenants[b.Tenant[i]]
			}
			jobs = append(jobs, j)
		}
	}
	if n := src.Meta().Jobs; n >= 0 && n != int64(len(jobs)) {
		t.Fatalf("Meta says %d jobs, read %d", n, len(jobs))
	}
	return jobs, nil
}

// sameJobs fails the test at the first job that differs.
func sameJobs(t testing.TB, want, got []job) {
	t.Helper()
	if len(want) != len(got) {
		t.Errorf("%d jobs, want %d", len(got), len(want))
	}
	for i := range min(len(want), len(got)) {
		if want[i] != got[i] {
			t.Fatalf("job %d (-want +got):\n%s", i, cmp.Diff(want[i], got[i]))
		}
	}
}

// made is a Source over jobs made by a function, for tests.
type made struct {
	n, at    int
	make     func(i int) job
	optional bool
	kinds    kindSet
	tenants  tenantSet
}

func (m *made) Next(b *Batch) error {
	if m.at == m.n {
		return io.EOF
	}
	has := columnSet{}
	if m.optional {
		has = columnSet{optional: [4]bool{true, true, true, true}, tenant: true}
	}
	out := Batch{First: int64(m.at)}
	for ; m.at < m.n && out.Len() < 1000; m.at++ {
		j := m.make(m.at)
		typ, err := m.kinds.typeID([]byte(j.Kind.Type))
		if err != nil {
			return err
		}
		tenant, err := m.tenants.id([]byte(j.Tenant))
		if err != nil {
			return err
		}
		r := row{
			arrival: j.Arrival, service: j.Service, typeID: typ, priority: j.Kind.Priority, tenant: tenant,
			estimate: j.Estimate, deadline: j.Deadline, bytesIn: j.BytesIn, bytesOut: j.BytesOut,
		}
		if err := r.append(&out, &m.kinds, &has); err != nil {
			return err
		}
	}
	out.Kinds, out.Tenants = m.kinds.kinds, m.tenants.names
	*b = out
	return nil
}

func (m *made) Meta() Meta {
	return Meta{
		Name: "made", Start: time.Date(2008, 6, 1, 0, 0, 0, 5, time.UTC), Jobs: int64(m.n), ReferenceSpeed: 2.5, Origin: "a test",
	}
}
func (m *made) Close() error { return nil }

// mixed returns n jobs of every size that a trace can hold.
func mixed(n int, optional bool) *made {
	s := draw.New(1, "mixed")
	at := int64(0)
	var jobs []job
	types := []string{"photo", "video_sd", "thumb, small", `a "quoted" one`, "sp ace", "ünïcode", "x"}
	for i := range n {
		switch i % 5 {
		case 0: // at once
		case 1:
			at += int64(s.Below(1000))
		default:
			at += int64(s.Below(1 << (s.Below(41) + 1)))
		}
		j := job{Arrival: at, Service: 1 + int64(s.Below(1<<(s.Below(50)+1))), Kind: Kind{Type: types[s.Below(uint64(len(types)))], Priority: uint8(s.Below(4) * 80)}}
		if optional {
			j.Estimate = int64(s.Below(1 << (s.Below(45) + 1)))
			j.Deadline = int64(s.Below(2) * 30e9)
			j.BytesIn = int64(s.Below(1 << (s.Below(40) + 1)))
			j.BytesOut = int64(s.Below(100))
			j.Tenant = []string{"", "ann", "bob; ltd"}[s.Below(3)]
			j.Kind.Size = SizeBucket(j.BytesIn)
		}
		jobs = append(jobs, j)
	}
	return &made{n: n, make: func(i int) job { return jobs[i] }, optional: optional}
}

func TestWriteThenOpenGivesTheSameJobs(t *testing.T) {
	for _, n := range []int{0, 1, 7, 5000, 70_000} {
		for _, optional := range []bool{false, true} {
			want := jobsOf(t, mixed(n, optional))
			for _, ext := range strings.Split(Writable, ", ") {
				t.Run(fmt.Sprintf("%d/%v/%s", n, optional, ext), func(t *testing.T) {
					path := filepath.Join(t.TempDir(), "x"+ext)
					wrote, err := Write(path, mixed(n, optional), WriteOptions{Tool: "test"})
					if err != nil {
						t.Fatal(err)
					}
					if wrote.Jobs != int64(n) {
						t.Errorf("wrote %d jobs, want %d", wrote.Jobs, n)
					}
					src, err := Open(path, Options{})
					if err != nil {
						t.Fatal(err)
					}
					if ext == ".parquet" {
						meta := (&made{n: n}).Meta()
						meta.Span = wrote.Span
						if d := cmp.Diff(meta, src.Meta()); d != "" {
							t.Error("meta:", d)
						}
					}
					sameJobs(t, want, jobsOf(t, src))
				})
			}
		}
	}
}

func TestPackedGivesTheSameJobsAndIsSmall(t *testing.T) {
	for _, optional := range []bool{false, true} {
		p, err := Load(mixed(20_000, optional))
		if err != nil {
			t.Fatal(err)
		}
		want := jobsOf(t, mixed(20_000, optional))
		for range 2 {
			sameJobs(t, want, jobsOf(t, p.Source()))
		}
		src := p.Source()
		var b Batch
		if n := testing.AllocsPerRun(3, func() {
			if err := src.Next(&b); err != nil {
				t.Fatal(err)
			}
		}); n != 0 {
			t.Errorf("Next allocates %v times", n)
		}
	}
	c := DefaultPhotoSite()
	c.Duration = 24 * time.Hour
	src, err := c.Source()
	if err != nil {
		t.Fatal(err)
	}
	p, err := Load(src)
	if err != nil {
		t.Fatal(err)
	}
	if per := float64(p.Bytes()) / float64(p.Len()); per > 13 {
		t.Errorf("%.1f bytes a job, want at most 13", per)
	}
}

func TestLoadRefusesArrivalsThatGoBack(t *testing.T) {
	src := &made{n: 2, make: func(i int) job { return job{Arrival: 10 - int64(i), Service: 1, Kind: Kind{Type: "x"}} }}
	_, err := Load(src)
	var bad *InputError
	if !errors.As(err, &bad) || bad.Line != 2 {
		t.Errorf("got %v, want an InputError at row 2", err)
	}
}

// failing yields a few batches, then an error.
type failing struct {
	made
	err error
}

func (f *failing) Next(b *Batch) error {
	if f.at >= 3000 {
		return f.err
	}
	return f.made.Next(b)
}

func TestAFailedWriteLeavesNothing(t *testing.T) {
	boom := errors.New("boom")
	for _, ext := range strings.Split(Writable, ", ") {
		dir := t.TempDir()
		path := filepath.Join(dir, "x"+ext)
		if err := os.WriteFile(path, []byte("before"), 0o644); err != nil {
			t.Fatal(err)
		}
		src := &failing{made: *mixed(5000, false), err: boom}
		if _, err := Write(path, src, WriteOptions{}); !errors.Is(err, boom) {
			t.Errorf("%s: got %v, want boom", ext, err)
		}
		files, _ := os.ReadDir(dir)
		text, _ := os.ReadFile(path)
		if len(files) != 1 || string(text) != "before" {
			t.Errorf("%s: %d files, the target holds %q", ext, len(files), text)
		}
	}
}

func TestAFullDiskIsAnError(t *testing.T) {
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Skip("needs /dev/full")
	}
	for _, ext := range []string{".csv", ".parquet"} {
		path := filepath.Join(t.TempDir(), "x"+ext)
		if err := os.Symlink("/dev/full", path); err != nil {
			t.Fatal(err)
		}
		if _, err := Write(path, mixed(50_000, false), WriteOptions{}); !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("%s: got %v, want no space left", ext, err)
		}
	}
}

func TestWriteRefusesUnknownExtensions(t *testing.T) {
	_, err := Write(filepath.Join(t.TempDir(), "x.json"), mixed(1, false), WriteOptions{})
	if err == nil || !strings.Contains(err.Error(), Writable) {
		t.Errorf("got %v, want an error that lists %s", err, Writable)
	}
}
