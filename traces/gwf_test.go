package traces

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const gwfText = `# Grid Workloads Archive
# JobID SubmitTime WaitTime RunTime NProcs ...
0 1136070024 203761 138467 1 138371 97948.0 1 259200 -1 1 U0010 G0000 X0001 Q0000 -1 LAB01 LAB01/N014 UNITARY -1 -1 -1 -1 -1 -1 -1 -1 -1 -1
1	1136070030	5	12.5	4	-1	-1	4	-1	-1	0	U0011	G0000	X0001	-1	-1	LAB01	LAB01/N014	7	BoT	-1	-1	-1	-1	-1	-1	-1	-1	-1	-1

2 1136070020 5 -1 1 -1 -1 1 -1 -1 5 -1 G0000 X0001 Q0001 -1 LAB01 LAB01/N014 UNITARY -1 -1 -1 -1 -1 -1 -1 -1 -1 -1
3 1136070010 5 60 1 -1 -1 1 -1 -1 1 -1 G0000 X0001 Q0001 -1 LAB01 LAB01/N014 UNITARY -1 -1 -1 -1 -1 -1 -1 -1 -1 -1
4 1136070010 5 60 1 -1
`

// A log of the Grid Workloads Archive: users and queues have names, submit times are
// Unix times, and some parsers know of a 30th column.
func TestGWF(t *testing.T) {
	path := filepath.Join(t.TempDir(), "grid.log") // told by its first bytes
	if err := os.WriteFile(path, []byte(gwfText), 0o644); err != nil {
		t.Fatal(err)
	}
	src, sum, err := Import(path, ImportOptions{})
	if err != nil {
		t.Fatal(err)
	}
	const first = 1136070010 - 1135987200 // s after midnight, 31 December 2005
	sameJobs(t, []job{
		{Arrival: first * 1e9, Service: 60e9, Kind: Kind{Type: "Q0001"}},
		{Arrival: (first + 14) * 1e9, Service: 138467e9, Estimate: 259200e9, Kind: Kind{Type: "Q0000"}, Tenant: "U0010"},
		{Arrival: (first + 20) * 1e9, Service: 12_500_000_000, Kind: Kind{Type: "job"}, Tenant: "U0011"},
	}, jobsOf(t, src))
	if start := src.Meta().Start.Format(time.RFC3339); start != "2005-12-31T00:00:00Z" {
		t.Errorf("starts %s", start)
	}
	want := `: read 5, kept 3, dropped 2 (no service time 1, first at line 6: run = "-1"; wrong number of fields 1, first at line 8), out of order 1, duplicates 0`
	if !strings.HasSuffix(sum.String(), want) {
		t.Errorf("got  %s\nwant …%s", sum, want)
	}
	if src, sum, err = Import(path, ImportOptions{Width: WidthExpand}); err != nil || sum.Expanded != 3 || len(jobsOf(t, src)) != 6 {
		t.Errorf("expanded: %s, %v", sum, err)
	}
	if src, err = Open(path, Options{}); err != nil {
		t.Fatal(err)
	}
	if _, err := readJobs(t, src); err == nil || !strings.Contains(err.Error(), `grid.log:6: run = "-1": is missing; run: skynet trace import`) {
		t.Errorf("strictly: %v", err)
	}
}

// OpenDC calls GWF what is a table with a header: it is CSV, and told to be read so.
func TestTableCalledGWF(t *testing.T) {
	path := filepath.Join(t.TempDir(), "opendc.gwf")
	text := "WorkflowID, JobID     , SubmitTime, RunTime   , NProcs    , ReqNProcs , Dependencies\n" +
		"0         , 1         , 16        , 11        , 1         , 1         ,           \n"
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	opt := ImportOptions{Columns: map[string]string{"arrival_s": "SubmitTime", "service_s": "RunTime"}}
	if _, _, err := Import(path, opt); err == nil || !strings.HasSuffix(err.Error(), "a mapping of columns is for CSV; if it is CSV, say --format csv") {
		t.Errorf("mapped: %v", err)
	}
	opt.Format = "csv"
	src, _, err := Import(path, opt)
	if err != nil {
		t.Fatal(err)
	}
	sameJobs(t, []job{{Arrival: 16e9, Service: 11e9, Kind: Kind{Type: "job"}}}, jobsOf(t, src))
}
