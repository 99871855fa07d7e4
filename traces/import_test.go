package traces

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	_ "time/tzdata" // zones are tested on machines without a database of them too
)

func importText(t testing.TB, text string, opt ImportOptions) ([]job, *Summary, error) {
	t.Helper()
	in, err := newInput("x."+opt.Format, strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	src, sum, err := importFrom(in, opt)
	if err != nil {
		return nil, sum, err
	}
	return jobsOf(t, src), sum, nil
}

// A row whose time counts from elsewhere is dropped, and the summary says what
// stood there, however plainly the row is written.
func TestImportSaysWhichTimeIsOfAnotherKind(t *testing.T) {
	for _, c := range []struct{ rows, want string }{
		{"5,1,x,0\n1300000000,1,x,0\n", "arrival_s = \"1300000000\""},
		{"1300000000,1,x,0\n5,1,x,0\n", "arrival_s = \"5\""},
	} {
		jobs, sum, err := importText(t, header+c.rows, ImportOptions{Options: Options{Format: "csv"}})
		if err != nil {
			t.Fatal(err)
		}
		want := "x.csv: read 2, kept 1, dropped 1 (out of range 1, first at line 3: " + c.want + "), out of order 0, duplicates 0"
		if len(jobs) != 1 || sum.String() != want {
			t.Errorf("%d jobs: %s\nwant %s", len(jobs), sum, want)
		}
	}
}

func TestImportDropsSortsAndCounts(t *testing.T) {
	text := header +
		"5,1,photo,0\n" +
		"3,1,photo,0\n" + // out of order
		"-1,1,photo,0\n" + // -1 is no time
		",1,photo,0\n" +
		"NULL,1,photo,0\n" +
		"4,NaN,photo,0\n" +
		"4,0,photo,0\n" +
		"4,-2,photo,0\n" +
		"4,-1,photo,0\n" + // -1 is no service time
		"4,1,photo,900\n" +
		"4,1,photo\n" +
		"9,1.00000000049,,\n" + // rounded; no type, no priority
		"5,1,photo,0\n" + // again: duplicate of the first, out of no order
		"9223372036854775807,1,photo,0\n"
	jobs, sum, err := importText(t, text, ImportOptions{Options: Options{Format: "csv"}})
	if err != nil {
		t.Fatal(err)
	}
	photo := Kind{Type: "photo"}
	sameJobs(t, []job{
		{Arrival: 3e9, Service: 1e9, Kind: photo},
		{Arrival: 5e9, Service: 1e9, Kind: photo},
		{Arrival: 5e9, Service: 1e9, Kind: photo},
		{Arrival: 9e9, Service: 1e9, Kind: Kind{Type: "job"}},
	}, jobs)
	want := "x.csv: read 14, kept 4, dropped 10 (no arrival time 3, first at line 4: arrival_s = \"-1\"; no service time 1, first at line 10: service_s = \"-1\"; " +
		"service not positive 2, first at line 8: service_s = \"0\"; not a number 1, first at line 7: service_s = \"NaN\"; out of range 2, first at line 11: priority = \"900\"; " +
		"wrong number of fields 1, first at line 12), out of order 2, duplicates 1 (kept)"
	if sum.String() != want {
		t.Errorf("got  %s\nwant %s", sum, want)
	}

	jobs, sum, err = importText(t, text, ImportOptions{Options: Options{Format: "csv"}, Dedup: true})
	if err != nil {
		t.Fatal(err)
	}
	if len(jobs) != 3 || sum.Kept != 3 || !strings.Contains(sum.String(), "kept 3, dropped 11 (") ||
		!strings.HasSuffix(sum.String(), "; duplicate 1), out of order 2, duplicates 1") {
		t.Errorf("%d jobs after --dedup: %s", len(jobs), sum)
	}
}

func TestImportTakesOtherSeparatorsAndFewColumns(t *testing.T) {
	for _, text := range []string{"arrival_s\tservice_s\n1\t2\n", "service_s;arrival_s\n2;1\n", "arrival_s,service_s\n1,2\n"} {
		jobs, _, err := importText(t, text, ImportOptions{Options: Options{Format: "csv"}})
		if err != nil {
			t.Fatal(err)
		}
		sameJobs(t, []job{{Arrival: 1e9, Service: 2e9, Kind: Kind{Type: "job"}}}, jobs)
	}
}

// Where columns are separated by semicolons, a comma separates nothing: a row of
// two numbers around one is not a row of two fields.
func TestImportSeparatesByTheHeadersSeparatorAlone(t *testing.T) {
	for _, separator := range []string{";", "\t"} {
		text := strings.ReplaceAll("arrival_s|service_s\n1|2\n1,5\n3|4\n", "|", separator)
		jobs, sum, err := importText(t, text, ImportOptions{Options: Options{Format: "csv"}})
		if err != nil {
			t.Fatal(err)
		}
		if len(jobs) != 2 || len(sum.Dropped) != 1 || sum.Dropped[0].Reason != FieldCount {
			t.Errorf("separated by %q: %v: %s", separator, jobs, sum)
		}
	}
}

// A misplaced quote costs its row, and no other.
func TestImportDropsRowsOfMisplacedQuotes(t *testing.T) {
	text := header + "1,1,photo,0\n2,1,\"ph\"oto,0\n3,1,\"a\nb\",0\n4,1,\"a\nb\"c,0\n5,1,\"ph\"\"oto\",0\n"
	jobs, sum, err := importText(t, text, ImportOptions{Options: Options{Format: "csv"}})
	if err != nil {
		t.Fatal(err)
	}
	if want := "dropped 2 (misplaced quote 2, first at line 3)"; len(jobs) != 3 || jobs[1].Kind.Type != "a\nb" || jobs[2].Kind.Type != `ph"oto` || !strings.Contains(sum.String(), want) {
		t.Errorf("%v: %s, want %s", jobs, sum, want)
	}
	var bad *InputError
	if _, _, err := importText(t, "arrival_s,\"service\"_s\n1,1\n", ImportOptions{Options: Options{Format: "csv"}}); !errors.As(err, &bad) || bad.Line != 1 {
		t.Errorf("a misplaced quote in the header: %v", err)
	}
}

// What a day begins with may come twice: Gaza set its clocks back from 1 to 0 o'clock
// on 27 October 2018, and a job of the first half past midnight arrived before the
// second midnight. No arrival is negative.
func TestImportOnADayThatBeginsTwice(t *testing.T) {
	gaza, err := time.LoadLocation("Asia/Gaza")
	if err != nil {
		t.Fatal(err)
	}
	for at, want := range map[string]int64{
		"2018-10-26T21:30:00Z": 30 * 60e9, // of the first midnight, at 21:00
		"2018-10-26T20:30:00Z": (23*60 + 30) * 60e9,
		"2018-10-27T12:00:00Z": 14 * 3600e9, // of the second
	} {
		jobs, _, err := importText(t, "arrival_s,service_s\n"+at+",5\n", ImportOptions{Options: Options{Format: "csv"}, Zone: gaza})
		if err != nil {
			t.Fatal(err)
		}
		if jobs[0].Arrival != want {
			t.Errorf("%s arrives at %v, want %v", at, time.Duration(jobs[0].Arrival), time.Duration(want))
		}
	}
}

// Whether a log's times are Unix times is decided once: a line of the other kind
// would make a log of decades.
func TestSWFKeepsToOneKindOfTime(t *testing.T) {
	line := func(submit string) string { return "1 " + submit + " 5 64 1 1 64 1 86400 1 1 62 1 1 -1 1 1 1\n" }
	const hpc2n = "; UnixStartTime: 1027839845\n"
	for _, c := range []struct {
		text    string
		arrival []int64 // in s
		dropped string
	}{
		{line("1300000000") + line("0") + line("1300000060"), []int64{25600, 25660}, `out of range 1, first at line 2: submit = "0"`},
		{line("0") + line("1300000000") + line("60"), []int64{0, 60}, `out of range 1, first at line 2: submit = "1300000000"`},
		{hpc2n + line("0") + line("110000000"), []int64{0, 110000000}, ""}, // three and a half years
		{line("0") + line("110000000"), []int64{0, 110000000}, ""},
	} {
		jobs, sum, err := importText(t, c.text, ImportOptions{Options: Options{Format: "swf"}})
		if err != nil {
			t.Fatal(err)
		}
		var got []int64
		for _, j := range jobs {
			got = append(got, j.Arrival/1e9)
		}
		if !slices.Equal(got, c.arrival) || !strings.Contains(sum.String(), c.dropped) || (c.dropped == "") != (len(sum.Dropped) == 0) {
			t.Errorf("%q: arrivals %v, want %v: %s", c.text, got, c.arrival, sum)
		}
	}
}

func TestSWFQueueNamesStandBehindAnyBlank(t *testing.T) {
	text := ";Queue: 1\tshort\n; Queue:  2   long jobs \n" +
		"1 0 5 64 1 1 64 1 86400 1 1 62 1 1 1 1 1 1\n2 1 5 64 1 1 64 1 86400 1 1 62 1 1 2 1 1 1\n"
	jobs, _, err := importText(t, text, ImportOptions{Options: Options{Format: "swf"}})
	if err != nil {
		t.Fatal(err)
	}
	if jobs[0].Kind.Type != "short" || jobs[1].Kind.Type != "long jobs" {
		t.Errorf("queues are %q and %q", jobs[0].Kind.Type, jobs[1].Kind.Type)
	}
}

// Work beyond what a time can hold is dropped, and the row named.
func TestMultipliedWorkStaysInBounds(t *testing.T) {
	text := "1 0 5 9000000 1000 1 64 1 86400 1 1 62 1 1 1 1 1 1\n2 1 5 64 1 1 64 1 86400 1 1 62 1 1 2 1 1 1\n"
	jobs, sum, err := importText(t, text, ImportOptions{Options: Options{Format: "swf"}, Width: WidthMultiply})
	if err != nil {
		t.Fatal(err)
	}
	if len(jobs) != 1 || !strings.Contains(sum.String(), `dropped 1 (out of range 1, first at line 1: run = "9000000")`) {
		t.Errorf("%d jobs: %s", len(jobs), sum)
	}
}

func TestImportSortIsStableInEveryColumn(t *testing.T) {
	var text strings.Builder
	text.WriteString("arrival_s,service_s,type,priority,bytes_in,tenant\n")
	var want []job
	for at := range 3 {
		for _, i := range []int64{1, 2, 3} {
			want = append(want, job{Arrival: int64(at) * 1e9, Service: i, BytesIn: i, Kind: Kind{Type: "x", Size: 1}, Tenant: string(rune('a' + i))})
		}
	}
	for _, n := range []string{"1", "2", "3"} {
		tenant := string(rune('a' + n[0] - '0'))
		for _, at := range []string{"2", "0", "1"} {
			text.WriteString(at + ",0.00000000" + n + ",x,0," + n + "," + tenant + "\n")
		}
	}
	jobs, sum, err := importText(t, text.String(), ImportOptions{Options: Options{Format: "csv"}})
	if err != nil {
		t.Fatal(err)
	}
	sameJobs(t, want, jobs)
	if sum.OutOfOrder != 6 {
		t.Errorf("%d out of order, want 6", sum.OutOfOrder)
	}
}

func TestImportOfNothingUsableIsAnError(t *testing.T) {
	for _, text := range []string{header, header + "1,0,photo,0\n"} {
		_, _, err := importText(t, text, ImportOptions{Options: Options{Format: "csv"}})
		var bad *InputError
		if !errors.As(err, &bad) || !strings.Contains(err.Error(), "holds no usable job") {
			t.Errorf("got %v", err)
		}
	}
}

func TestImportTakesWhatOpenRefusesInParquet(t *testing.T) {
	jobs := []job{
		{Arrival: 5, Service: 1}, {Arrival: -1, Service: 1}, {Arrival: 7, Service: 0}, {Arrival: 3, Service: 2},
	}
	path := filepath.Join(t.TempDir(), "x.parquet")
	if _, err := Write(path, &made{n: len(jobs), make: func(i int) job { return jobs[i] }}, WriteOptions{}); err != nil {
		t.Fatal(err)
	}
	src, sum, err := Import(path, ImportOptions{})
	if err != nil {
		t.Fatal(err)
	}
	sameJobs(t, []job{{Arrival: 3, Service: 2}, {Arrival: 5, Service: 1}}, jobsOf(t, src))
	if sum.Read != 4 || sum.OutOfOrder != 1 || len(sum.Dropped) != 2 {
		t.Error(sum)
	}
}

const swf = `
; Version: 2.2
; UnixStartTime: 1027839845
; Queue: 1 [fque:1]
	1        0 308434  31405   30  31405    -1   30  37980    -1  1   1   1  -1 1  1 -1 -1
   12   342343      5    553   -1 552.21    -1   40     -1    -1  1   4   1  -1 -1  1 -1 -1
; Partition:  1 DEFAULT
   16   347726      5     -1    8 240379    -1    8 345600    -1 -1   5   1  -1 -1  1 -1 -1
   17   347727      5   12.5    1 240379    -1    8 345600    -1  3   5   1  -1 -1  1 -1 -1
   18   347728      5   12.5    1 240379    -1    8 345600    -1  0  -1   1  -1  7  1 -1 -1

`

func TestSWF(t *testing.T) {
	want := []job{
		{Arrival: 0, Service: 31405e9, Estimate: 37980e9, Kind: Kind{Type: "[fque:1]"}, Tenant: "1"},
		{Arrival: 342343e9, Service: 553e9, Kind: Kind{Type: "job"}, Tenant: "4"},
		{Arrival: 347728e9, Service: 12_500_000_000, Estimate: 345600e9, Kind: Kind{Type: "queue-7"}},
	}
	in := ImportOptions{Options: Options{Format: "swf"}}
	jobs, sum, err := importText(t, swf, in)
	if err != nil {
		t.Fatal(err)
	}
	sameJobs(t, want, jobs)
	if w := "x.swf: read 5, kept 3, dropped 2 (no service time 1, first at line 8: run = \"-1\"; partial execution 1, first at line 9: status = \"3\"), out of order 0, duplicates 0"; sum.String() != w {
		t.Errorf("got  %s\nwant %s", sum, w)
	}
	in.Width = WidthExpand
	if jobs, sum, err = importText(t, swf, in); err != nil || len(jobs) != 71 || sum.Expanded != 68 {
		t.Errorf("expanded to %d jobs: %s, %v", len(jobs), sum, err)
	}
	in.Dedup = true // the parts of one row are no duplicates of each other; those of equal rows are
	if jobs, sum, err = importText(t, swf+swf, in); err != nil || len(jobs) != 71 || sum.Duplicates != 71 {
		t.Errorf("expanded to %d different jobs: %s, %v", len(jobs), sum, err)
	}
	in.Dedup = false
	in.Width = WidthMultiply
	if jobs, _, err = importText(t, swf, in); err != nil || jobs[0].Service != 30*31405e9 || jobs[1].Service != 40*553e9 {
		t.Errorf("multiplied: %v, %v", jobs, err)
	}
	in.JobsMax, in.Width = 50, WidthExpand
	if _, _, err = importText(t, swf, in); err == nil || !strings.Contains(err.Error(), "makes more than 50 jobs") {
		t.Errorf("too many jobs: %v", err)
	}

	path := filepath.Join(t.TempDir(), "x.swf")
	if err := os.WriteFile(path, []byte(swf), 0o644); err != nil {
		t.Fatal(err)
	}
	src, err := Open(path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := readJobs(t, src); err == nil || !strings.Contains(err.Error(), `x.swf:8: run = "-1": is missing; run: skynet trace import `+path) {
		t.Errorf("strictly: %v", err)
	}
	if start := src.Meta().Start; start.Unix() != 1027839845 {
		t.Errorf("starts %v", start)
	}
}

func TestSWFCountsAbsoluteTimesFromMidnight(t *testing.T) {
	line := " 0 5 64 1 1 64 86400 1 1 62 1 1 -1 1 1 1 {1,1} q_1d 1:ppn=64\n"
	text := "0 1356996147" + line + "1 1356996100" + line
	prague, err := time.LoadLocation("Europe/Prague")
	if err != nil {
		t.Fatal(err)
	}
	for zone, wantStart := range map[*time.Location]string{nil: "2012-12-31T00:00:00Z", prague: "2012-12-31T23:00:00Z"} {
		in, err := newInput("x.swf", strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		src, sum, err := importFrom(in, ImportOptions{Zone: zone})
		if err != nil {
			t.Fatal(err)
		}
		start := src.Meta().Start
		if got := start.Format(time.RFC3339); got != wantStart {
			t.Errorf("starts %s, want %s", got, wantStart)
		}
		jobs := jobsOf(t, src)
		if at := start.Add(time.Duration(jobs[1].Arrival)); at.Unix() != 1356996147 || jobs[1].Kind.Type != "q_1d" || sum.OutOfOrder != 1 {
			t.Errorf("%v at %v: %s", jobs[1], at, sum)
		}
	}
}

// The published conversion of MetaCentrum's log, job by job; its priorities
// are an invention of that conversion.
func TestMetaCentrumLogAgreesWithItsConversion(t *testing.T) {
	src, sum, err := Import(shared(t, "raw/wagap-2013.swf.gz"), ImportOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if start := src.Meta().Start.Format(time.RFC3339); start != "2012-12-31T00:00:00Z" {
		t.Errorf("starts %s", start)
	}
	if sum.Kept != 17898 || len(sum.Dropped) != 1 || sum.Dropped[0].Rows != 2 {
		t.Error(sum)
	}
	bare := func(jobs []job) []job {
		for i := range jobs {
			jobs[i].Kind.Priority, jobs[i].Estimate, jobs[i].Tenant = 0, 0, ""
		}
		return jobs
	}
	got := bare(jobsOf(t, src))
	conversion, err := Open(shared(t, "metacentrum_2013q1.csv.gz"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	sameJobs(t, bare(jobsOf(t, conversion)), got)
}

func TestArchivesOfOtherSitesAreImported(t *testing.T) {
	for name, kept := range map[string]int64{"ctc_excerpt.swf": 5, "hpc2n_excerpt.swf.gz": -1, "lublin_256.swf.gz": 10_000} {
		_, sum, err := Import(shared(t, "importer_samples/"+name), ImportOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if kept >= 0 && sum.Kept != kept {
			t.Errorf("%s, want %d kept", sum, kept)
		}
		t.Log(sum)
	}
}

func TestImportAndOpenAgreeOnGoodTraces(t *testing.T) {
	path := shared(t, "alibaba_genai_2024.csv.gz")
	src, sum, err := Import(path, ImportOptions{})
	if err != nil {
		t.Fatal(err)
	}
	opened, err := Open(path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	sameJobs(t, jobsOf(t, opened), jobsOf(t, src))
	if sum.Kept != 26790 || sum.OutOfOrder != 0 {
		t.Error(sum)
	}
	t.Log(sum)
}
