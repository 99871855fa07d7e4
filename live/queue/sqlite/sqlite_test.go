package sqlite_test

import (
	"path/filepath"
	"testing"

	"github.com/skynet-ec2/skynet/live/queue"
	"github.com/skynet-ec2/skynet/live/queue/sqlite"
	"github.com/skynet-ec2/skynet/live/queue/storetest"
)

func TestStore(t *testing.T) {
	storetest.Run(t, func(t *testing.T) storetest.Open {
		file := filepath.Join(t.TempDir(), "queue #1?.db") // a name that a URL could misread
		return func() queue.Store {
			s, err := sqlite.Open(t.Context(), file)
			if err != nil {
				t.Fatal(err)
			}
			return s
		}
	})
}
