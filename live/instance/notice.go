package instance

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"time"
)

// A Notice is EC2's word that an instance may not live much longer.
type Notice struct {
	// Interruption: EC2 takes the instance back at At. Otherwise EC2 only thinks
	// that this has become more likely, and At is when it thought so.
	Interruption bool
	Action       string // of an interruption: terminate, stop or hibernate
	At           time.Time
}

// NoticeEvery is how often EC2 asks to be asked.
const NoticeEvery = 5 * time.Second

// Notices asks for notices every so often, until ctx ends. It calls each with the
// first word of an interruption, and with every new word of a risk.
func (m *Metadata) Notices(ctx context.Context, every time.Duration, log *slog.Logger, each func(Notice)) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	interrupted, failing := false, false
	var rebalanced Notice
	for {
		n, there, err := m.interruption(ctx)
		if there && !interrupted {
			interrupted = true
			each(n)
		}
		r, advised, err2 := m.rebalance(ctx)
		if advised && r != rebalanced {
			rebalanced = r
			each(r)
		}
		err = errors.Join(err, err2)
		if err != nil && !failing && ctx.Err() == nil {
			log.Warn("no notices can be read", "error", err)
		}
		failing = err != nil
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (m *Metadata) interruption(ctx context.Context) (Notice, bool, error) {
	var notice struct {
		Action string    `json:"action"`
		Time   time.Time `json:"time"`
	}
	there, err := m.json(ctx, "spot/instance-action", &notice)
	return Notice{Interruption: true, Action: notice.Action, At: notice.Time}, there, err
}

func (m *Metadata) rebalance(ctx context.Context) (Notice, bool, error) {
	var notice struct {
		Time time.Time `json:"noticeTime"`
	}
	there, err := m.json(ctx, "events/recommendations/rebalance", &notice)
	return Notice{At: notice.Time}, there, err
}

// json reads a path into v, if there is anything.
func (m *Metadata) json(ctx context.Context, path string, v any) (there bool, err error) {
	content, err := m.read(ctx, path)
	if errors.Is(err, errNothing) {
		return false, nil
	}
	if err == nil {
		err = json.Unmarshal([]byte(content), v)
	}
	return err == nil, err
}
