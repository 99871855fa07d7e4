package statuspage

import (
	"context"
	"io"
	"os"
	"path/filepath"

	"github.com/skynet-ec2/skynet/live/objects"
	"github.com/skynet-ec2/skynet/traces/whole"
)

// Folder is a place on a disk.
type Folder string

// Write is of Place.
func (f Folder) Write(_ context.Context, name, _ string, text []byte) error {
	if err := os.MkdirAll(string(f), 0o755); err != nil {
		return err
	}
	return whole.WriteFile(filepath.Join(string(f), name), text)
}

// Read is of Place.
func (f Folder) Read(_ context.Context, name string) ([]byte, error) {
	return os.ReadFile(filepath.Join(string(f), name))
}

// Bucket is a place in S3.
type Bucket struct {
	Store *objects.Store
	At    objects.URL // what the names begin with
}

// cache is how long anybody may keep a copy: a page must not get old on its way.
const cache = "max-age=20"

// Write is of Place.
func (b Bucket) Write(ctx context.Context, name, contentType string, text []byte) error {
	return b.Store.Publish(ctx, b.At.Under(name), text, contentType, cache)
}

// Read is of Place.
func (b Bucket) Read(ctx context.Context, name string) ([]byte, error) {
	o, err := b.Store.Get(ctx, b.At.Under(name))
	if err != nil {
		return nil, err
	}
	defer o.Close()
	return io.ReadAll(io.LimitReader(o, readMax))
}

// readMax bounds what is read back, in bytes.
const readMax = 1 << 20
