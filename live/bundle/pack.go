package bundle

import (
	"archive/tar"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/klauspost/compress/zstd"
)

// Pack writes the files below dir to w as one archive, and returns what it is.
// The same files are the same bytes: an archive has no times, owners or rights
// but that a file may be executed. A release has files and folders only; a link
// or a device in dir is an error.
func Pack(dir, platform string, w io.Writer) (Archive, error) {
	a := Archive{Platform: platform}
	sum := sha256.New()
	count := &counter{w: io.MultiWriter(w, sum)}
	z, err := zstd.NewWriter(count, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedBetterCompression))
	if err != nil {
		return a, err
	}
	t := tar.NewWriter(z)
	root, err := os.OpenRoot(dir)
	if err != nil {
		return a, err
	}
	defer root.Close()
	err = fs.WalkDir(root.FS(), ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || name == "." {
			return err
		}
		if a.Files++; a.Files > filesMax {
			return fmt.Errorf("more than %d files", filesMax)
		}
		size, err := packEntry(t, root, name, entry)
		a.Unpacked += size
		return err
	})
	if err == nil {
		err = t.Close()
	}
	if e := z.Close(); err == nil {
		err = e
	}
	if err != nil {
		return a, fmt.Errorf("pack %s: %w", dir, err)
	}
	a.Size, a.SHA256 = count.n, hex.EncodeToString(sum.Sum(nil))
	if err := a.check(); err != nil {
		return a, fmt.Errorf("pack %s: %w", dir, err)
	}
	return a, nil
}

func packEntry(t *tar.Writer, root *os.Root, name string, entry fs.DirEntry) (size int64, err error) {
	name = filepath.ToSlash(name)
	if !localPath(name) {
		return 0, fmt.Errorf("%q: no name that can be unpacked everywhere", name)
	}
	head := &tar.Header{Name: name, ModTime: time.Unix(0, 0), Format: tar.FormatPAX}
	switch {
	case entry.IsDir():
		head.Typeflag, head.Mode = tar.TypeDir, 0o755
		return 0, t.WriteHeader(head)
	case !entry.Type().IsRegular():
		return 0, fmt.Errorf("%s: neither file nor folder", name)
	}
	f, err := root.Open(name)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	head.Typeflag, head.Size, head.Mode = tar.TypeReg, info.Size(), 0o644
	if info.Mode()&0o111 != 0 {
		head.Mode = 0o755
	}
	if err := t.WriteHeader(head); err != nil {
		return 0, err
	}
	return io.Copy(t, f)
}

// A counter counts what passes through it.
type counter struct {
	w io.Writer
	n int64
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}
