package sqlstore

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/klauspost/compress/zstd"
)

// pendingMax is how many bytes of a journal wait for the database at most. What
// comes then is not in it until the next page begins.
const pendingMax = 64 << 20

// The codecs of lines; their methods used here may be called at once.
var (
	packer, _   = zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1))
	unpacker, _ = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(256<<20))
)

// Page is a page of a journal in the store. Writing to it never waits and never
// fails: the database is told by a goroutine, and asked again while it does not
// answer. It is not safe for concurrent use.
type Page struct {
	store *Store
	name  string
	page  int64
	log   *slog.Logger
	line  []byte
	n     int

	mu      sync.Mutex
	changed sync.Cond
	queue   []pageLine
	bytes   int
	lost    bool // a line was not taken: those after it make no sense
	ends    bool
	done    chan struct{}
}

// pageLine is a line, whole or so far.
type pageLine struct {
	n    int
	at   int64 // ms since 1970
	ends bool
	text []byte
}

// Journal begins a page of the journal of that name. Lines older than keep are
// forgotten; 0: none is.
func (s *Store) Journal(name string, keep time.Duration, log *slog.Logger) *Page {
	now := time.Now()
	p := &Page{store: s, name: name, page: now.UnixNano(), log: log, done: make(chan struct{})}
	p.changed.L = &p.mu
	go p.run(keep)
	return p
}

// Write takes a line, or a part of one.
func (p *Page) Write(text []byte) (int, error) {
	for rest := text; len(rest) > 0; {
		i := bytes.IndexByte(rest, '\n')
		part := rest[:max(i+1, 0)]
		if i < 0 {
			part = rest
		}
		p.line = append(p.line, part...)
		p.hand(i >= 0)
		if i >= 0 {
			p.line, p.n = p.line[:0], p.n+1
		}
		rest = rest[len(part):]
	}
	return len(text), nil
}

// hand gives the line as it is to the goroutine.
func (p *Page) hand(ends bool) {
	x := pageLine{n: p.n, at: time.Now().UnixMilli(), ends: ends, text: packer.EncodeAll(bytes.TrimSuffix(p.line, []byte("\n")), nil)}
	p.mu.Lock()
	defer p.mu.Unlock()
	if n := len(p.queue); n > 0 && p.queue[n-1].n == x.n { // it says more than the one that waits
		p.bytes -= len(p.queue[n-1].text)
		p.queue = p.queue[:n-1]
	}
	if p.lost = p.lost || p.bytes+len(x.text) > pendingMax; p.lost {
		return
	}
	p.queue, p.bytes = append(p.queue, x), p.bytes+len(x.text)
	p.changed.Signal()
}

// run tells the database.
func (p *Page) run(keep time.Duration) {
	defer close(p.done)
	p.forget(keep)
	failing := false
	for {
		p.mu.Lock()
		for len(p.queue) == 0 && !p.ends {
			p.changed.Wait()
		}
		if len(p.queue) == 0 {
			p.mu.Unlock()
			return
		}
		x := p.queue[0]
		p.queue, p.bytes = p.queue[1:], p.bytes-len(x.text)
		p.mu.Unlock()
		err := p.put(x)
		if err == nil {
			failing = false
			continue
		}
		if !failing {
			p.log.Warn("the journal is not in the database for now; its file is", "journal", p.name, "error", err)
			failing = true
		}
		p.mu.Lock()
		if len(p.queue) == 0 || p.queue[0].n != x.n {
			p.queue, p.bytes = append([]pageLine{x}, p.queue...), p.bytes+len(x.text)
		}
		ends := p.ends
		p.mu.Unlock()
		if ends { // nobody waits for a database that is away
			return
		}
		time.Sleep(time.Second)
	}
}

// put writes a line, in the place of what was there of it.
func (p *Page) put(x pageLine) error {
	ends := 0
	if x.ends {
		ends = 1
	}
	return p.store.exec(context.Background(), `INSERT INTO controller_journals (name, page, line, at_ms, ends, text) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (name, page, line) DO UPDATE SET at_ms = $4, ends = $5, text = $6`, p.name, p.page, x.n, x.at, ends, x.text)
}

// forget removes old lines.
func (p *Page) forget(keep time.Duration) {
	if keep <= 0 {
		return
	}
	if err := p.store.exec(context.Background(), `DELETE FROM controller_journals WHERE name = $1 AND at_ms < $2`, p.name, time.Now().Add(-keep).UnixMilli()); err != nil {
		p.log.Warn("old lines of the journal stay in the database", "journal", p.name, "error", err)
	}
}

// closeWithin bounds how long Close waits for the database.
const closeWithin = 5 * time.Second

// Close waits until the database has everything, for a while.
func (p *Page) Close() error {
	p.mu.Lock()
	p.ends = true
	p.changed.Signal()
	p.mu.Unlock()
	select {
	case <-p.done:
		return nil
	case <-time.After(closeWithin):
		return fmt.Errorf("journal %s: the database did not take all of it within %v; its file is whole", p.name, closeWithin)
	}
}

// JournalLines implements controller.Pages.
func (s *Store) JournalLines(ctx context.Context, name string, from, to time.Time, yield func(line []byte) error) error {
	pages, err := s.pages(ctx, name, from, to)
	if err != nil {
		return err
	}
	for _, page := range pages {
		if err := s.page(ctx, name, page, to.UnixMilli(), yield); err != nil {
			return err
		}
	}
	return nil
}

// pages returns the pages with lines of a time, in its order.
func (s *Store) pages(ctx context.Context, name string, from, to time.Time) (pages []int64, err error) {
	rows, err := s.db.QueryContext(ctx, `SELECT page FROM controller_journals WHERE name = $1
		GROUP BY page HAVING max(at_ms) >= $2 AND min(at_ms) < $3 ORDER BY page`, name, from.UnixMilli(), to.UnixMilli())
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var page int64
		if err := rows.Scan(&page); err != nil {
			return nil, err
		}
		pages = append(pages, page)
	}
	return pages, rows.Err()
}

// linesAtOnce bounds how many lines are asked for in one query: nothing is held
// open while a slow caller reads.
const linesAtOnce = 64

// page yields the lines of a page before an instant. A page whose beginning was
// forgotten has no header, and is left out.
func (s *Store) page(ctx context.Context, name string, page, to int64, yield func(line []byte) error) error {
	next := 0
	for {
		lines, err := s.lines(ctx, name, page, next, to)
		if err != nil {
			return err
		}
		for _, x := range lines {
			if x.n != next {
				return nil // what was between was never taken, or is forgotten
			}
			text, err := unpacker.DecodeAll(x.text, nil)
			if err != nil {
				return fmt.Errorf("journal %s: line %d of page %d: %w", name, x.n, page, err)
			}
			if !x.ends {
				text = append(text, '}') // its outcome was never known
			}
			if err := yield(append(text, '\n')); err != nil {
				return err
			}
			next++
		}
		if len(lines) < linesAtOnce {
			return nil
		}
	}
}

func (s *Store) lines(ctx context.Context, name string, page int64, from int, to int64) (lines []pageLine, err error) {
	rows, err := s.db.QueryContext(ctx, `SELECT line, ends, text FROM controller_journals
		WHERE name = $1 AND page = $2 AND line >= $3 AND (at_ms < $4 OR line = 0) ORDER BY line LIMIT $5`, name, page, from, to, linesAtOnce)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var x pageLine
		var ends int
		if err := rows.Scan(&x.n, &ends, &x.text); err != nil {
			return nil, err
		}
		x.ends = ends == 1
		lines = append(lines, x)
	}
	return lines, rows.Err()
}
