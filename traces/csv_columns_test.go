package traces

import (
	"errors"
	"strings"
	"testing"
	"time"
)

func TestImportMapsColumns(t *testing.T) {
	for _, tt := range []struct {
		name    string
		text    string
		columns map[string]string
		want    []job
		start   string
	}{
		{
			"a table of jobs",
			"id,kind,created_at,started_at,finished_at,priority\n" +
				"1,photo,2008-06-01 09:00:01+00,2008-06-01 09:00:02+00,2008-06-01 09:00:06.5+00,2\n",
			map[string]string{"arrival_s": "created_at", "start_s": "started_at", "finish_s": "finished_at", "type": "kind"},
			[]job{{Arrival: 9*3600e9 + 1e9, Service: 4.5e9, Kind: Kind{Type: "photo", Priority: 2}}},
			"2008-06-01T00:00:00Z",
		},
		{
			"its columns in another order, one column for two purposes, one not taken",
			"finished,started,priority,queue\n7,3,high,a\n",
			map[string]string{"arrival_s": "started", "start_s": "started", "finish_s": "finished", "type": "queue", "tenant": "queue", "priority": ""},
			[]job{{Arrival: 3e9, Service: 4e9, Kind: Kind{Type: "a"}, Tenant: "a"}},
			"",
		},
		{
			"a run's own log",
			"arrival_s,start_s,finish_s,type\n1,2,5,x\n",
			nil,
			[]job{{Arrival: 1e9, Service: 3e9, Kind: Kind{Type: "x"}}},
			"",
		},
		{
			"a service time beside a start",
			"arrival_s,start_s,service_s,finish_s\n1,2,5,9\n",
			map[string]string{"service_s": "service_s"},
			[]job{{Arrival: 1e9, Service: 5e9, Kind: Kind{Type: "job"}}},
			"",
		},
		{
			"Unix time",
			"arrival_s,service_s\n1212310801.5,2\n",
			nil,
			[]job{{Arrival: 9*3600e9 + 1.5e9, Service: 2e9, Kind: Kind{Type: "job"}}},
			"2008-06-01T00:00:00Z",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			in, err := newInput("table", strings.NewReader(tt.text))
			if err != nil {
				t.Fatal(err)
			}
			opt := ImportOptions{Columns: tt.columns}
			if tt.columns == nil {
				opt.Format = "csv"
			}
			src, sum, err := importFrom(in, opt)
			if err != nil {
				t.Fatal(err, sum)
			}
			start := ""
			if at := src.Meta().Start; !at.IsZero() {
				start = at.Format(time.RFC3339)
			}
			if start != tt.start {
				t.Errorf("starts %q, want %q", start, tt.start)
			}
			sameJobs(t, tt.want, jobsOf(t, src))
		})
	}
}

// What runs functions on demand records when each ended and how long it took, and
// nothing waited: it arrived when it began.
func TestImportArrivalsFromEnds(t *testing.T) {
	columns := map[string]string{"finish_s": "end_timestamp", "service_s": "duration", "type": "func"}
	text := "app,func,end_timestamp,duration,arrival_s\nx,f,12.5,2.5,99\nx,g,3,1,99\nx,f,1,2,99\nx,f,never,2,99\n"
	jobs, sum, err := importText(t, text, ImportOptions{Columns: columns})
	if err != nil {
		t.Fatal(err)
	}
	if len(jobs) != 2 || jobs[0].Arrival != 2e9 || jobs[0].Service != 1e9 || jobs[1].Arrival != 10e9 || jobs[1].Service != 2.5e9 {
		t.Errorf("kept %+v", jobs)
	}
	if want := `not a time 1, first at line 5: end_timestamp = "never"; out of range 1, first at line 4: end_timestamp = "1"`; !strings.Contains(sum.String(), want) {
		t.Errorf("%s; want %s", sum, want)
	}
}

// Where no row is good the way to write a good one is said.
func TestImportOfNothingSaysWhatIsAllowed(t *testing.T) {
	text := "arrival_s,service_s\n02/03/2026 06:00:48,1\n02/03/2026 06:01:00,1\n,1\n"
	_, _, err := importText(t, text, ImportOptions{Options: Options{Format: "csv"}})
	want := `holds no usable job (read 3, kept 0, dropped 3 (no arrival time 1, first at line 4: arrival_s = ""; not a time 2, first at line 2: arrival_s = "02/03/2026 06:00:48"), out of order 0, duplicates 0); arrival_s must be a date such as 2008-06-01 09:30:00+02, or a number`
	if err == nil || !strings.HasSuffix(err.Error(), want) {
		t.Errorf("%v\nwant %s", err, want)
	}
}

func TestImportKeepsDatesAndOffsetsApart(t *testing.T) {
	jobs, sum, err := importText(t, "arrival_s,service_s\n5,1\n2008-06-01 00:00:00,1\n7,1\n1212310801,1\n", ImportOptions{Options: Options{Format: "csv"}})
	if err != nil {
		t.Fatal(err)
	}
	if len(jobs) != 2 || jobs[1].Arrival != 7e9 {
		t.Errorf("kept %v", jobs)
	}
	if want := `out of range 2, first at line 3: arrival_s = "2008-06-01 00:00:00"`; !strings.Contains(sum.String(), want) {
		t.Errorf("%s; want %s", sum, want)
	}
}

func TestImportSaysWhatIsWrongWithAMapping(t *testing.T) {
	for _, tt := range []struct {
		header  string
		columns map[string]string
		want    string
	}{
		{"created_at,took", map[string]string{"arrival_s": "created", "service_s": "took"}, `x.csv:1: --map arrival_s=created: no such column`},
		{"a,b,c", map[string]string{"arrival_s": "a", "start_s": "b"}, "no column finish_s"},
		{"a,b,a", map[string]string{"arrival_s": "a", "service_s": "b"}, "--map arrival_s=a: that column stands twice"},
		{"a,b,c", map[string]string{"arrival_s": "a"}, "no column service_s"},
		{"arrival_s,start_s", nil, "no column finish_s"},
	} {
		_, _, err := importText(t, tt.header+"\n1,2,3\n", ImportOptions{Options: Options{Format: "csv"}, Columns: tt.columns})
		var bad *InputError
		if !errors.As(err, &bad) || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s, %v: %v, want %q", tt.header, tt.columns, err, tt.want)
		}
	}
	for _, columns := range []map[string]string{{"arrival": "a"}, {"service_s": "a", "start_s": "b"}, {"arrival_s": "c", "service_s": "a", "finish_s": "b"}} {
		if err := CheckColumns(columns); err == nil {
			t.Errorf("%v: no error", columns)
		}
	}
}

// A start of 0 beside a finish that is a date is no start: the job would have run
// for decades.
func TestStartAndFinishAreOfOneKind(t *testing.T) {
	text := "arrival_s,start_s,finish_s\n" +
		"1300000000,0,1300000005\n" +
		"1300000000,1300000001,1300000005\n" +
		"1300000000,2011-03-13 07:06:41,1300000005\n" +
		"1300000000,1300000001,0\n"
	jobs, sum, err := importText(t, text, ImportOptions{Options: Options{Format: "csv"}})
	if err != nil {
		t.Fatal(err)
	}
	want := `x.csv: read 4, kept 2, dropped 2 (service not positive 1, first at line 5: finish_s = "0"; out of range 1, first at line 2: start_s = "0")`
	if len(jobs) != 2 || jobs[0].Service != 4e9 || jobs[1].Service != 4e9 || !strings.HasPrefix(sum.String(), want) {
		t.Errorf("%v: %s", jobs, sum)
	}
}
