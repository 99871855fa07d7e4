package desk

import (
	"bufio"
	"net/http"
	"time"

	"github.com/skynet-ec2/skynet/live/api"
)

// spanUsual is how much of the journal is answered where nobody says.
const spanUsual = 24 * time.Hour

// pages streams the journal of a time from the store, as lines.
func (h *handler) pages(w http.ResponseWriter, r *http.Request, _ string) error {
	if h.Pages == nil {
		return notFound("the journal is not kept in the store: see /v1/journals")
	}
	to := h.Now()
	from := to.Add(-spanUsual)
	for _, x := range []struct {
		name string
		into *time.Time
	}{{"to", &to}, {"from", &from}} {
		text := r.URL.Query().Get(x.name)
		if text == "" {
			continue
		}
		at, err := time.Parse(time.RFC3339, text)
		if err != nil {
			return &api.Error{Code: api.CodeInvalid, Status: http.StatusBadRequest, Field: x.name, Message: x.name + ": must be an instant such as 2026-01-31T18:00:00Z"}
		}
		*x.into = at
	}
	name := h.Fleet
	if r.URL.Query().Get("shadow") != "" {
		name += "-shadow"
	}
	out := bufio.NewWriterSize(w, 1<<16)
	control, began := http.NewResponseController(w), false
	err := h.Pages.JournalLines(r.Context(), name, from, to, func(line []byte) error {
		if !began {
			w.Header().Set("Content-Type", "application/x-ndjson")
			began = true
		}
		control.SetWriteDeadline(time.Now().Add(time.Minute)) // not every writer can
		_, err := out.Write(line)
		return err
	})
	switch {
	case err != nil && began: // too late for an answer that says so: it breaks off
		panic(http.ErrAbortHandler)
	case err != nil:
		return err
	case !began:
		return notFound("the store has no journal from %s to %s", from.UTC().Format(time.RFC3339), to.UTC().Format(time.RFC3339))
	}
	if out.Flush() != nil { // the caller has read enough
		panic(http.ErrAbortHandler)
	}
	return nil
}
