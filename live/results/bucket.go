package results

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/skynet-ec2/skynet/live/objects"
)

// A Bucket is a store in S3.
type Bucket struct {
	store *objects.Store
	root  objects.URL
}

// OpenBucket returns the store whose keys begin with root's.
func OpenBucket(store *objects.Store, root objects.URL) *Bucket { return &Bucket{store, root} }

// String returns the address that results are put below.
func (b *Bucket) String() string { return b.root.String() }

// Put is as Store says.
func (b *Bucket) Put(ctx context.Context, k Key, dir string, files []File) (string, error) {
	if err := check(k, files); err != nil {
		return "", err
	}
	for _, file := range files {
		if err := b.putFile(ctx, k, dir, file); err != nil {
			return "", fmt.Errorf("results: %w", err)
		}
	}
	text := index(k, files)
	sum := sha256.Sum256(text)
	at := b.root.Under(k.path(Index))
	err := b.put(ctx, at, bytes.NewReader(text), int64(len(text)), "application/json", hex.EncodeToString(sum[:]))
	if err != nil {
		return "", fmt.Errorf("results: %w", err)
	}
	return at.String(), nil
}

func (b *Bucket) putFile(ctx context.Context, k Key, dir string, file File) error {
	in, err := os.Open(filepath.Join(dir, file.Name))
	if err != nil {
		return err
	}
	defer in.Close()
	return b.put(ctx, b.root.Under(k.path(file.Name)), in, file.Size, file.ContentType, file.SHA256)
}

// put writes one object. One that is there stays: it is the same, because an
// answer was lost on its way and this is the second try, or the error is ErrOther.
func (b *Bucket) put(ctx context.Context, at objects.URL, body io.ReaderAt, size int64, contentType, sha256Hex string) error {
	err := b.store.Put(ctx, at, body, size, contentType)
	if !errors.Is(err, objects.ErrExists) {
		return err
	}
	there, err := b.store.Get(ctx, at)
	if err != nil {
		return err
	}
	defer there.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, io.LimitReader(there, size+1)); err != nil {
		return err
	}
	if hex.EncodeToString(sum.Sum(nil)) != sha256Hex {
		return fmt.Errorf("%s: %w", at, ErrOther)
	}
	return nil
}
