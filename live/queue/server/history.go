package server

import (
	"bufio"
	"net/http"
	"time"

	"github.com/skynet-ec2/skynet/live/api"
	"github.com/skynet-ec2/skynet/live/history"
	"github.com/skynet-ec2/skynet/traces"
)

// history streams jobs that ended. It may take minutes, so every piece that is
// written has a time of its own.
func (c *call) history() error {
	from, to := c.query.instants["from"], c.query.instants["to"]
	if !from.IsZero() && !to.IsZero() && to.Before(from) {
		return &api.Error{Code: api.CodeInvalid, Field: "to", Message: "to lies before from"}
	}
	switch c.query.words["format"] {
	case api.HistoryNDJSON:
		return c.historyLines(from, to)
	case api.HistoryParquet:
		return c.historyTrace(from, to, ".parquet", "application/vnd.apache.parquet")
	}
	return c.historyTrace(from, to, ".csv", "text/csv; charset=utf-8")
}

// eachFinished calls yield for the finished jobs that the caller may see.
func (c *call) eachFinished(from, to time.Time, yield func(api.Finished) error) error {
	if to.IsZero() {
		to = instantMax
	}
	return c.engine.History(c.ctx(), from, to, func(f api.Finished) error {
		if bound := c.caller.Tenant; bound != "" && f.Tenant != bound {
			return nil
		}
		return yield(f)
	})
}

// patient writes to a caller who may be slow, but not for ever at one piece.
type patient struct {
	w       http.ResponseWriter
	control *http.ResponseController
}

func (p patient) Write(b []byte) (int, error) {
	p.control.SetWriteDeadline(time.Now().Add(writeSlack)) // not every writer can
	return p.w.Write(b)
}

func (c *call) begin(media string) *bufio.Writer {
	c.w.Header().Set("Content-Type", media)
	return bufio.NewWriterSize(patient{c.w, http.NewResponseController(c.w)}, 1<<16)
}

func (c *call) historyLines(from, to time.Time) error {
	w := c.begin(lines)
	err := c.eachFinished(from, to, func(f api.Finished) error {
		line, err := api.Marshal(f)
		if err != nil {
			return err
		}
		_, err = w.Write(append(line, '\n'))
		return err
	})
	if err != nil {
		return err
	}
	return w.Flush()
}

// historyTrace streams the simulator's trace: jobs by arrival. A job may have
// ended any time after it arrived, so to bounds the arrivals alone.
func (c *call) historyTrace(from, to time.Time, extension, media string) error {
	sorter := history.New(history.Options{From: from, To: to})
	defer sorter.Close()
	if err := c.eachFinished(from, time.Time{}, sorter.Add); err != nil {
		return err
	}
	trace, err := sorter.Trace()
	if err != nil {
		return err
	}
	w := c.begin(media)
	if _, err := traces.Encode(w, extension, trace, traces.WriteOptions{Tool: "skynetd"}); err != nil {
		return err
	}
	return w.Flush()
}
