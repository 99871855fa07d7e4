package main

import (
	"bytes"
	"context"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestProgressLogsEveryTenSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var stderr bytes.Buffer
		a := newApp(context.Background(), &stderr, &stderr)
		p := a.newProgress("simulate", 1000)
		for range 25 {
			time.Sleep(time.Second)
			p.Add(20)
		}
		p.End()

		lines := strings.Split(strings.TrimSpace(stderr.String()), "\n")
		if len(lines) != 2 {
			t.Fatalf("25 s of work logged %d lines, want 2:\n%s", len(lines), stderr.String())
		}
		for i, want := range []string{
			"msg=simulate done=200 elapsed=10s per_s=20 total=1000 eta=40s",
			"msg=simulate done=400 elapsed=20s per_s=20 total=1000 eta=30s",
		} {
			if !strings.HasSuffix(lines[i], want) {
				t.Errorf("line %d: %s\nwant at its end: %s", i, lines[i], want)
			}
		}
	})
}

func TestProgressWithoutATotalPromisesNoEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var stderr bytes.Buffer
		p := newApp(context.Background(), &stderr, &stderr).newProgress("import", 0)
		time.Sleep(progressEvery)
		p.Set(70)
		if got := stderr.String(); !strings.HasSuffix(got, "msg=import done=70 elapsed=10s per_s=7\n") {
			t.Errorf("logged %q", got)
		}
	})
}

func TestProgressQuiet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var stderr bytes.Buffer
		a := newApp(context.Background(), &stderr, &stderr)
		a.quiet = true
		p := a.newProgress("simulate", 1000)
		time.Sleep(time.Minute)
		p.Add(500)
		p.Set(600)
		p.End()
		if stderr.Len() > 0 {
			t.Errorf("quiet, yet it wrote %q", stderr.String())
		}
	})
}

// A bar that is wider than the terminal is cut, whatever its work is called: what
// reached a second line would stay there.
func TestProgressBarStaysOnItsLine(t *testing.T) {
	var drawn bytes.Buffer
	w := oneRow{&drawn, func() int { return 10 }}
	for _, frame := range []string{"\rmeasure größe 12 %", "\r              \r", "\rshort"} {
		if n, err := w.Write([]byte(frame)); n != len(frame) || err != nil {
			t.Errorf("wrote %d bytes of %d: %v", n, len(frame), err)
		}
	}
	if got, want := drawn.String(), "\rmeasure g\r         \r\rshort"; got != want {
		t.Errorf("drew %q, want %q", got, want)
	}
	drawn.Reset()
	wide := oneRow{&drawn, func() int { return 0 }}
	if _, err := wide.Write([]byte("\ras it is")); err != nil || drawn.String() != "\ras it is" {
		t.Errorf("of unknown width: drew %q, %v", drawn.String(), err)
	}
}

func TestProgressBar(t *testing.T) {
	for _, total := range []int64{100, 0} {
		synctest.Test(t, func(t *testing.T) {
			var stderr bytes.Buffer
			a := newApp(context.Background(), &stderr, &stderr)
			a.stderrIsTerminal = true
			p := a.newProgress("simulate", total)
			var workers sync.WaitGroup
			for range 4 {
				workers.Go(func() {
					for range 25 {
						time.Sleep(time.Second)
						p.Add(1)
					}
				})
			}
			workers.Wait()
			p.End()

			drawn := stderr.String()
			if !strings.Contains(drawn, "simulate") {
				t.Errorf("total %d: no bar in %q", total, drawn)
			}
			if strings.Contains(drawn, "\n") {
				t.Errorf("total %d: the bar left its line", total)
			}
			if last := drawn[strings.LastIndexByte(strings.TrimSuffix(drawn, "\r"), '\r')+1:]; strings.TrimSpace(last) != "" {
				t.Errorf("total %d: the bar is still there at the end: %q", total, last)
			}
		})
	}
}
