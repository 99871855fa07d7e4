package main

import (
	"io"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"
)

// progressEvery is the time between two lines of progress in a log.
const progressEvery = 10 * time.Second

// Progress tells how far a long piece of work has come: on a terminal a bar
// with the rate and the time left, elsewhere a line in the log every 10 s, and
// nothing when quiet. Its methods may be called from several goroutines.
//
// A nil *Progress is one that tells nothing.
type Progress struct {
	mu    sync.Mutex
	bar   *progressbar.ProgressBar // nil: log instead
	log   *slog.Logger
	work  string
	total int64 // <= 0: unknown
	done  int64
	began time.Time
	told  time.Time
}

// newProgress returns the progress of work, which ends at total units, or
// nobody knows where if total <= 0. The caller must call End.
func (a *app) newProgress(work string, total int64) *Progress {
	if a.quiet {
		return nil
	}
	now := time.Now()
	p := &Progress{log: a.log, work: work, total: total, began: now, told: now}
	if a.stderrIsTerminal {
		if total <= 0 {
			total = -1
		}
		width := 24
		if c := a.stderrWidth(); c > 0 && c < 90 {
			width = 8 // so that counts, rate and time left are not cut off
		}
		p.bar = progressbar.NewOptions64(total,
			progressbar.OptionSetWriter(oneRow{a.stderr, a.stderrWidth}),
			progressbar.OptionSetDescription(work),
			progressbar.OptionSetWidth(width),
			progressbar.OptionShowCount(),
			progressbar.OptionShowIts(),
			progressbar.OptionSetItsString(""), // what is counted stands in front, or is plain
			progressbar.OptionThrottle(100*time.Millisecond),
			progressbar.OptionSetSpinnerChangeInterval(0), // redraw on Add only: no goroutine
			progressbar.OptionClearOnFinish(),
		)
	}
	return p
}

// oneRow writes what is drawn to a terminal, cut to its columns: a bar that
// reaches a second line could not be drawn over.
type oneRow struct {
	to      io.Writer
	columns func() int // 0: nobody knows
}

func (w oneRow) Write(p []byte) (int, error) {
	room := w.columns() - 1 // behind the last column some terminals begin a line
	if room < 0 {
		return w.to.Write(p)
	}
	var cut strings.Builder
	used := 0
	for _, r := range string(p) {
		if r == '\r' {
			used = -1
		}
		if used++; used <= room {
			cut.WriteRune(r)
		}
	}
	_, err := io.WriteString(w.to, cut.String())
	return len(p), err
}

// Work names what is being done from now on.
func (p *Progress) Work(work string) {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.work = work
	if p.bar != nil {
		p.bar.Describe(work)
	}
}

// Add counts n more units as done.
func (p *Progress) Add(n int64) {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.set(p.done + n)
}

// Set counts done units as done, in all.
func (p *Progress) Set(done int64) {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.set(done)
}

func (p *Progress) set(done int64) {
	p.done = done
	if p.bar != nil {
		// A bar at its total erases itself; End does that.
		if p.total <= 0 || done < p.total {
			_ = p.bar.Set64(done) // a bar that cannot be drawn is no reason to stop
		}
		return
	}
	if now := time.Now(); now.Sub(p.told) >= progressEvery {
		p.told = now
		p.tell(now)
	}
}

// tell writes one line of progress to the log.
func (p *Progress) tell(now time.Time) {
	elapsed := now.Sub(p.began)
	attrs := []any{
		"done", p.done,
		"elapsed", elapsed.Round(time.Second),
		"per_s", int64(float64(p.done) / elapsed.Seconds()),
	}
	if p.total > 0 {
		attrs = append(attrs, "total", p.total)
		if p.done > 0 && p.done <= p.total {
			left := float64(elapsed) / float64(p.done) * float64(p.total-p.done)
			attrs = append(attrs, "eta", time.Duration(left).Round(time.Second))
		}
	}
	p.log.Info(p.work, attrs...)
}

// End removes the bar. Work that ended early is left as it is.
func (p *Progress) End() {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.bar != nil {
		_ = p.bar.Clear()
		_ = p.bar.Exit()
	}
}
