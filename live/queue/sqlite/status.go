package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"os"

	"github.com/skynet-ec2/skynet/live/queue"
)

// Status returns how far the tables in the file are, and changes nothing. A file
// that is not there is an error.
func Status(ctx context.Context, file string) (queue.Schema, error) {
	s := queue.Schema{Want: version}
	if _, err := os.Stat(file); err != nil {
		return s, err
	}
	db, err := sql.Open("sqlite", "file:"+(&url.URL{Path: file}).EscapedPath()+"?mode=ro")
	if err == nil {
		defer db.Close()
		err = db.QueryRowContext(ctx, "PRAGMA user_version").Scan(&s.Have)
	}
	if err != nil {
		return s, fmt.Errorf("queue store %s: %w", file, err)
	}
	return s, nil
}
