package traces

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
)

const header = "arrival_s,service_s,type,priority\n"

func openText(t testing.TB, text string, opt Options) ([]job, error) {
	t.Helper()
	in, err := newInput("x.csv", strings.NewReader(text))
	if err != nil {
		return nil, err
	}
	src, err := openAs(in, opt)
	if err != nil {
		return nil, err
	}
	return readJobs(t, src)
}

func TestCSVIsReadExactly(t *testing.T) {
	photo := func(at, service int64, priority uint8) job {
		return job{Arrival: at, Service: service, Kind: Kind{Type: "photo", Priority: priority}}
	}
	sized := photo(0, 1e9, 1)
	sized.BytesIn, sized.Kind.Size, sized.Deadline, sized.Tenant = 4<<20, 4, 30e9, "ann"
	for name, c := range map[string]struct {
		text string
		want []job
		opt  Options
	}{
		"header only":         {text: header},
		"no last line end":    {text: header + "1,2,photo,0", want: []job{photo(1e9, 2e9, 0)}},
		"nine decimals":       {text: header + "1.123456789,0.000000001,photo,255\n", want: []job{photo(1_123_456_789, 1, 255)}},
		"few decimals":        {text: header + "0.1,0.3,photo,0\n", want: []job{photo(1e8, 3e8, 0)}},
		"CRLF":                {text: "arrival_s,service_s,type,priority\r\n1,2,photo,0\r\n3,4,photo,1\r\n", want: []job{photo(1e9, 2e9, 0), photo(3e9, 4e9, 1)}},
		"BOM":                 {text: "\ufeff" + header + "1,2,photo,0\n", want: []job{photo(1e9, 2e9, 0)}},
		"quotes":              {text: `"arrival_s",service_s,"type",priority` + "\n" + `"1","2","photo",0` + "\n", want: []job{photo(1e9, 2e9, 0)}},
		"comma in quotes":     {text: header + `1,2,"a, ""b""",0` + "\n", want: []job{{Arrival: 1e9, Service: 2e9, Kind: Kind{Type: `a, "b"`}}}},
		"line end in quotes":  {text: header + "1,2,\"a\nb\",0\n2,2,photo,0\n", want: []job{{Arrival: 1e9, Service: 2e9, Kind: Kind{Type: "a\nb"}}, photo(2e9, 2e9, 0)}},
		"blanks":              {text: header + " 1 ,\t2,photo , 0\n\n\n", want: []job{photo(1e9, 2e9, 0)}},
		"exponent":            {text: header + "1e0,2.5E-3,photo,0\n", want: []job{photo(1e9, 2_500_000, 0)}},
		"other order":         {text: "priority,type,service_s,arrival_s\n0,photo,2,1\n", want: []job{photo(1e9, 2e9, 0)}},
		"same instant":        {text: header + "1,1,photo,0\n1,1,photo,0\n", want: []job{photo(1e9, 1e9, 0), photo(1e9, 1e9, 0)}},
		"optional columns":    {text: "arrival_s,service_s,type,priority,bytes_in,deadline_s,tenant\n0,1,photo,1,4194304,30,ann\n", want: []job{sized}},
		"empty optional":      {text: "arrival_s,service_s,type,priority,estimate_s,bytes_in,bytes_out\n0,1,photo,1,,,\n0,1,photo,1,,,\n", want: []job{photo(0, 1e9, 1), photo(0, 1e9, 1)}},
		"ignored column":      {text: "arrival_s,colour,service_s,type,priority\n1,red,2,photo,0\n", want: []job{photo(1e9, 2e9, 0)}, opt: Options{IgnoreColumns: true}},
		"absolute Unix times": {text: header + "1212310000.5,2,photo,0\n", want: []job{photo(1_212_310_000_500_000_000, 2e9, 0)}},
	} {
		t.Run(name, func(t *testing.T) {
			opt := c.opt
			opt.Format = "csv"
			got, err := openText(t, c.text, opt)
			if err != nil {
				t.Fatal(err)
			}
			sameJobs(t, c.want, got)
		})
	}
}

func TestCSVErrorsSayWhereAndWhat(t *testing.T) {
	run := "; run: skynet trace import x.csv -o OUT"
	for name, c := range map[string]struct{ text, want string }{
		"empty":              {"", "x.csv: is empty: a header such as arrival_s,service_s,type,priority is expected"},
		"no header":          {"1,2,photo,0\n", `x.csv:1: unknown column "1"; unknown column "2"; unknown column "photo"; unknown column "0"; no column arrival_s, service_s, type, priority; the header must name arrival_s, service_s, type, priority, and may name estimate_s, deadline_s, bytes_in, bytes_out, tenant`},
		"misspelt column":    {"arival_s,service_s,type,priority\n", `x.csv:1: unknown column "arival_s" (did you mean "arrival_s"?); no column arrival_s; the header must name`},
		"unknown column":     {"arrival_s,service_s,type,priority,colour\n", `x.csv:1: unknown column "colour"; the header must name arrival_s, service_s, type, priority, and may name estimate_s, deadline_s, bytes_in, bytes_out, tenant; --ignore-columns skips others`},
		"many columns":       {strings.Join(strings.Split("abcdefghijkl", ""), ",") + "\n", `x.csv:1: unknown column "a"; unknown column "b"; unknown column "c"; unknown column "d"; unknown column "e"; unknown column "f"; unknown column "g"; unknown column "h"; and 4 more; no column arrival_s`},
		"UTF-16":             {"\xff\xfea\x00r\x00,\x00\n\x00", `x.csv: is UTF-16: a trace is UTF-8; convert it: iconv -f UTF-16 -t UTF-8`},
		"UTF-16, big end":    {"\xfe\xff\x00a\x00r\x00,\x00\n", `x.csv: is UTF-16: a trace is UTF-8; convert it: iconv -f UTF-16 -t UTF-8`},
		"zero bytes":         {strings.Repeat("\x00", 500) + "\n", `x.csv:1: the header contains zero bytes: this is not a trace in CSV`},
		"carriage returns":   {"arrival_s,service_s,type,priority\r1,1,photo,0\r2,1,photo,0", `x.csv:1: lines end with a carriage return alone; a line feed is expected`},
		"column twice":       {"arrival_s,service_s,type,priority,type\n", `x.csv:1: column "type" stands twice`},
		"tabs":               {"arrival_s\tservice_s\ttype\tpriority\n", `x.csv:1: columns are separated by '\t'; commas are expected` + run},
		"NaN":                {header + "1,NaN,photo,0\n", `x.csv:2: service_s = "NaN": must be a decimal number` + run},
		"infinite":           {header + "inf,1,photo,0\n", `x.csv:2: arrival_s = "inf": must be a decimal number` + run},
		"negative arrival":   {header + "0,1,photo,0\n-1,1,photo,0\n", `x.csv:3: arrival_s = "-1": must not be negative` + run},
		"negative service":   {header + "0,-1,photo,0\n", `x.csv:2: service_s = "-1": must be more than 0 (and at least a nanosecond)` + run},
		"no service":         {header + "0,0,photo,0\n", `x.csv:2: service_s = "0": must be more than 0 (and at least a nanosecond)` + run},
		"2^63-1":             {header + "9223372036854775807,1,photo,0\n", `x.csv:2: arrival_s = "9223372036854775807": must be at most 4611686018.427387903 s (146 years)` + run},
		"2^63-1 service":     {header + "0,9223372036854775807,photo,0\n", `x.csv:2: service_s = "9223372036854775807": must be at most 4611686018.427387903 s (146 years)` + run},
		"ten decimals":       {header + "0.0000000001,1,photo,0\n", `x.csv:2: arrival_s = "0.0000000001": has more than 9 decimals` + run},
		"unsorted":           {header + "2,1,photo,0\n1.5,1,photo,0\n", `x.csv:3: arrival_s = "1.5": arrives before the job ahead of it (2)` + run},
		"missing":            {header + ",1,photo,0\n", `x.csv:2: arrival_s: is missing` + run},
		"no type":            {header + "1,1,,0\n", `x.csv:2: type: is empty` + run},
		"priority 256":       {header + "1,1,photo,256\n", `x.csv:2: priority = "256": must be a whole number from 0 to 255` + run},
		"priority 1.5":       {header + "1,1,photo,1.5\n", `x.csv:2: priority = "1.5": must be a whole number from 0 to 255` + run},
		"short row":          {header + "1,1,photo\n", `x.csv:2: has 3 fields, the header names 4` + run},
		"long row":           {header + "1,1,photo,0,\n", `x.csv:2: has 5 fields, the header names 4` + run},
		"long type":          {header + "1,1," + strings.Repeat("x", 256) + ",0\n", `is longer than 255 bytes` + run},
		"not UTF-8":          {header + "1,1,\xff,0\n", `x.csv:2: type = "\xff": is not UTF-8` + run},
		"endless line":       {header + strings.Repeat("x", 3<<20), `x.csv:2: a line is longer than 1048576 bytes: this is not a trace in CSV`},
		"endless quote":      {header + `"` + strings.Repeat("x\n", 2<<20), `x.csv:2: a quoted field never ends`},
		"open quote":         {header + "1,1,\"photo,0\n", `x.csv:2: a quoted field never ends`},
		"text after a quote": {header + "1,1,\"photo\"s,0\n", `x.csv:2: text follows a closing quote: a quote inside a quoted field is doubled; run: skynet trace import x.csv -o OUT`},
		"line after quotes":  {header + "1,1,\"a\nb\",0\n1,x,photo,0\n", `x.csv:4: service_s = "x": must be a decimal number` + run},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := openText(t, c.text, Options{Format: "csv"})
			var bad *InputError
			if !errors.As(err, &bad) || !bad.BadInput() || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got  %v\nwant %s", err, c.want)
			}
		})
	}
}

func TestCSVNamesManyTypesAndRefusesTooMany(t *testing.T) {
	var text strings.Builder
	text.WriteString(header)
	for i := range KindsMax {
		fmt.Fprintf(&text, "1,1,t%d,0\n", i)
	}
	jobs, err := openText(t, text.String(), Options{})
	if err != nil || jobs[KindsMax-1].Kind.Type != fmt.Sprint("t", KindsMax-1) {
		t.Fatalf("%d kinds: %v", KindsMax, err)
	}
	text.WriteString("1,1,straw,0\n")
	if _, err := openText(t, text.String(), Options{}); err == nil || !strings.Contains(err.Error(), "more than 65536 job types") {
		t.Errorf("got %v, want an error", err)
	}
}

// gzipped returns text in gzip, cut to the first n bytes if n > 0.
func gzipped(text string, n int) []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	io.WriteString(z, text)
	z.Close()
	if n > 0 {
		return b.Bytes()[:n]
	}
	return b.Bytes()
}

func zstandard(text string) []byte {
	z, err := zstd.NewWriter(nil)
	if err != nil {
		panic(err)
	}
	return z.EncodeAll([]byte(text), nil)
}

func TestTruncatedCompressionIsAnErrorThatSaysSo(t *testing.T) {
	var text strings.Builder
	text.WriteString(header)
	for i := range 20_000 {
		fmt.Fprintf(&text, "%d.%03d,%d,photo,0\n", i, i*7919%1000, i%13+1)
	}
	for name, whole := range map[string][]byte{"gzip": gzipped(text.String(), 0), "zstd": zstandard(text.String())} {
		for _, n := range []int{5, 12, 1000, len(whole) / 2, len(whole) - 1} {
			path := filepath.Join(t.TempDir(), "x.csv."+map[string]string{"gzip": "gz", "zstd": "zst"}[name])
			if err := os.WriteFile(path, whole[:n], 0o644); err != nil {
				t.Fatal(err)
			}
			src, err := Open(path, Options{})
			if err == nil {
				_, err = readJobs(t, src)
			}
			var bad *InputError
			if !errors.As(err, &bad) || !strings.Contains(err.Error(), name+" data") || !strings.Contains(err.Error(), path) {
				t.Errorf("%s cut at %d of %d: %v", name, n, len(whole), err)
			}
		}
		flipped := bytes.Clone(whole)
		flipped[len(flipped)/2] ^= 0x55
		in, err := newInput("x.csv", bytes.NewReader(flipped))
		if err == nil {
			var src Source
			if src, err = openAs(in, Options{}); err == nil {
				_, err = readJobs(t, src)
			}
		}
		if err == nil {
			t.Errorf("%s: a flipped bit went unnoticed", name)
		}
	}
}

func TestOpenTellsFormatsApart(t *testing.T) {
	dir := t.TempDir()
	for name, c := range map[string]struct {
		body []byte
		want string // part of the error; "" for none
	}{
		"plain":        {[]byte(header + "1,1,photo,0\n"), ""},
		"zipped.gz":    {gzipped(header+"1,1,photo,0\n", 0), ""},
		"zipped":       {zstandard(header + "1,1,photo,0\n"), ""},
		"x.CSV":        {[]byte(header), ""},
		"x.csv":        {gzipped(header, 0), ""}, // the bytes say gzip
		"what":         {[]byte("once upon a time"), "neither its name nor its first bytes tell its format; say which with --format of skynet trace, or trace.format of a scenario: parquet, gwf, swf, csv"},
		"what.json":    {[]byte("{}"), "neither its name"},
		"empty":        {nil, "neither its name"},
		"x.parquet":    {[]byte(header), "is called as if it were parquet, and begins as csv does; rename it, or say --format csv (in a scenario: trace.format)"},
		"p.csv":        {[]byte("PAR1\x15\x00"), "is called as if it were csv, and begins as parquet does"},
		"x.swf":        {[]byte(header + "1,1,photo,0\n"), "is called as if it were swf, and begins as csv does"},
		"swf.csv.gz":   {gzipped("; Version: 2.2\n", 0), "is called as if it were csv, and begins as swf does"},
		"y.parquet":    {[]byte("PAR1"), "is too short"},
		"z.parquet.gz": {gzipped("PAR1PAR1PAR1", 0), "decompress it first"},
	} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, c.body, 0o644); err != nil {
			t.Fatal(err)
		}
		src, err := Open(path, Options{})
		switch {
		case err == nil:
			src.Close()
			if c.want != "" {
				t.Errorf("%s was opened, want an error with %q", name, c.want)
			}
		case c.want == "" || !strings.Contains(err.Error(), c.want):
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	if _, err := Open(dir, Options{}); err == nil || !strings.Contains(err.Error(), "is a directory") {
		t.Errorf("a directory: %v", err)
	}
	if _, err := Open(filepath.Join(dir, "none"), Options{}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a missing file: %v", err)
	}
	if _, err := Open(filepath.Join(dir, "plain"), Options{Format: "cvs"}); err == nil || !strings.Contains(err.Error(), `unknown format "cvs" (did you mean "csv"?)`) {
		t.Errorf("an unknown format: %v", err)
	}
}

func TestSizeBucket(t *testing.T) {
	for n, want := range map[int64]uint8{
		-1: 0, 0: 0, 1: 1, 64<<10 - 1: 1, 64 << 10: 1, 256<<10 - 1: 1, 256 << 10: 2, 1 << 20: 3, 4 << 20: 4, 4 << 30: 9, 1 << 62: 15,
	} {
		if got := SizeBucket(n); got != want {
			t.Errorf("SizeBucket(%d) = %d, want %d", n, got, want)
		}
	}
}

// hostile is text that importers of every format must survive.
var hostile = []string{
	"", header, header + "1,2,photo,0\r\n", "\ufeff" + header + "1,2,photo,0\n", "arrival_s\tservice_s\n1\t2\n",
	header + "1,2,\"a,b\",0\n", header + "9223372036854775807,9223372036854775807,x,0\n", header + "-1,-1,-1,-1\n",
	header + "NaN,NaN,NaN,NaN\n", header + "1e9,1e9,x,0\n1000000000,1,x,0\n", header + "2,1,x,0\n1,1,x,0\n", header + "1,2,\"",
	"arrival_s,start_s,finish_s,type\n2008-06-01 00:00:00+02,2008-06-01T00:00,2008-06-02,x\n1212310801,1,2,x\n",
	"; UnixStartTime: 1\n1 0 3 4 5 6 7 8 9 10 1 12 13 14 15 16 17 18\n",
	"0 1356996147 0 5 64 1 1 64 86400 1 1 62 1 1 -1 1 1 1 {1,1} q_1d 1:ppn=64\n",
	"1 -1 -1 -1 -1 -1 -1 -1 -1 -1 -1 -1 -1 -1 -1 -1 -1 -1\n",
	"1 9223372036854775807 0 1e9 1000000000 1 1 1 1 1 1 1 1 1 1 1 1 1\n",
	"arrival_s,service_s,type,priority,estimate_s,deadline_s,bytes_in,bytes_out,tenant\n1,2,x,0,,,,,\n1,2,x,0,1,2,3,4,t\n",
}

func fuzzText(f *testing.F, format string) {
	for _, text := range hostile {
		f.Add([]byte(text))
		f.Add(gzipped(text, 0))
		f.Add(gzipped(text, 15))
		f.Add(zstandard(text))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		open := func() *input {
			in, err := newInput("x."+format, bytes.NewReader(b))
			if err != nil {
				return nil
			}
			return in
		}
		if in := open(); in != nil {
			if src, err := openAs(in, Options{Format: format}); err == nil {
				readJobs(t, src) // checks order and ranges
			}
		}
		if in := open(); in != nil {
			src, sum, err := importFrom(in, ImportOptions{Options: Options{Format: format}, Width: WidthExpand, JobsMax: 1 << 16})
			if err != nil {
				return
			}
			jobs := jobsOf(t, src)
			dropped := int64(0)
			for _, d := range sum.Dropped {
				dropped += d.Rows
			}
			if int64(len(jobs)) != sum.Kept || sum.Read+sum.Expanded != sum.Kept+dropped {
				t.Errorf("%d jobs: %s", len(jobs), sum)
			}
		}
	})
}

func FuzzCSV(f *testing.F) { fuzzText(f, "csv") }
func FuzzSWF(f *testing.F) { fuzzText(f, "swf") }
func FuzzGWF(f *testing.F) { fuzzText(f, "gwf") }

// FuzzSeconds compares the fast scanner with the careful one.
func FuzzSeconds(f *testing.F) {
	for _, s := range []string{"0", "1.5", "4611686018.427387903", "4611686019", "0.123456789", "1.", ".5", "1e9", "-1", "00012.3", "9999999999"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		fast, n, ok := scanSeconds([]byte(s+"\n"), 0)
		if !ok || n != len(s) {
			return
		}
		slow, err := parseSeconds([]byte(s), false)
		if err != nil || fast != slow {
			t.Errorf("%q: scanned %d, parsed %d (%v)", s, fast, slow, err)
		}
		back, err := parseSeconds(AppendSeconds(nil, fast), false)
		if err != nil || back != fast {
			t.Errorf("%q: %d became %d (%v)", s, fast, back, err)
		}
	})
}

func TestParseEight(t *testing.T) {
	for _, n := range []uint64{0, 1, 9, 10, 12345678, 87654321, 99999999, 10000000, 90909090} {
		text := fmt.Sprintf("%08d", n)
		word := binary.LittleEndian.Uint64([]byte(text))
		if !eightDigits(word) || parseEight(word) != n {
			t.Errorf("%s reads as %d (digits: %v)", text, parseEight(word), eightDigits(word))
		}
		for i := range text {
			for _, c := range []byte{'/', ':', ',', '\n', '.', 0, 0xff, 'p', '@'} {
				b := []byte(text)
				b[i] = c
				if eightDigits(binary.LittleEndian.Uint64(b)) {
					t.Errorf("%q counts as digits", b)
				}
			}
		}
	}
}

// A pipe that has been read is told to be one.
func TestDrainedPipe(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	w.Close()
	path := fmt.Sprintf("/dev/fd/%d", r.Fd())
	if _, err := os.Stat(path); err != nil {
		t.Skip("no /dev/fd here")
	}
	_, err = Open(path, Options{})
	if err == nil || !strings.Contains(err.Error(), path+": is a pipe, and what was in it has been read") {
		t.Errorf("got %v", err)
	}
}
