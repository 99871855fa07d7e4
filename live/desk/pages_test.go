package desk_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/skynet-ec2/skynet/live/access"
	"github.com/skynet-ec2/skynet/live/api"
	"github.com/skynet-ec2/skynet/live/desk"
)

// gone is the answer to a caller who has left.
type gone struct{ *httptest.ResponseRecorder }

func (gone) Write([]byte) (int, error) { return 0, errors.New("broken pipe") }

// oneLine is a journal of one line.
type oneLine struct{}

func (oneLine) JournalLines(_ context.Context, _ string, _, _ time.Time, yield func(line []byte) error) error {
	return yield([]byte("{}\n"))
}

// A caller who leaves before the journal's end, as explain does, is no error of the
// controller's.
func TestACallerMayLeaveBeforeTheEnd(t *testing.T) {
	var log bytes.Buffer
	h := desk.Handler(desk.Options{
		Fleet: "render", Pages: oneLine{}, Log: slog.New(slog.NewTextHandler(&log, nil)),
		Caller: func(string) (access.Caller, bool) { return access.Caller{Role: api.RoleReader}, true },
	})
	defer func() {
		if left := recover(); left != http.ErrAbortHandler || log.Len() > 0 {
			t.Errorf("ended with %v, logged %q", left, &log)
		}
	}()
	h.ServeHTTP(gone{httptest.NewRecorder()}, httptest.NewRequest(http.MethodGet, "/v1/journal", nil))
}
