package bundle

import (
	"archive/tar"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"

	"github.com/klauspost/compress/zstd"
)

// windowMax bounds the memory that unpacking takes, in bytes.
const windowMax = 64 << 20

// Fetch copies an archive from a store to the file at path, and makes sure that
// it is the one that the manifest describes.
func Fetch(ctx context.Context, s Store, number int64, a Archive, path string) error {
	name := ArchiveName(number, a.Platform)
	r, err := s.Get(ctx, name)
	if err != nil {
		return err
	}
	defer r.Close()
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	sum := sha256.New()
	n, err := io.Copy(io.MultiWriter(f, sum), io.LimitReader(r, a.Size+1))
	if e := f.Close(); err == nil {
		err = e
	}
	switch {
	case err != nil:
	case n != a.Size:
		err = fmt.Errorf("%d bytes or more: the manifest says %d", n, a.Size)
	case hex.EncodeToString(sum.Sum(nil)) != a.SHA256:
		err = errors.New("its SHA-256 is not the manifest's")
	}
	if err != nil {
		os.Remove(path)
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// Unpack makes the folder dir with the files of an archive, whole or not at
// all. No file is written outside of it, whatever names the archive has, and no
// more of them, or larger ones, than a says.
func Unpack(r io.Reader, a Archive, dir string) (err error) {
	temp, err := os.MkdirTemp(filepath.Dir(dir), ".unpack-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			os.RemoveAll(temp)
			err = fmt.Errorf("unpack: %w", err)
		}
	}()
	if err := os.Chmod(temp, 0o755); err != nil {
		return err
	}
	root, err := os.OpenRoot(temp)
	if err != nil {
		return err
	}
	err = unpackInto(r, a, root)
	if e := root.Close(); err == nil {
		err = e
	}
	if err != nil {
		return err
	}
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	return os.Rename(temp, dir)
}

func unpackInto(r io.Reader, a Archive, root *os.Root) error {
	z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(windowMax), zstd.WithDecoderLowmem(true))
	if err != nil {
		return err
	}
	defer z.Close()
	// headers and padding come on top of the files
	t := tar.NewReader(io.LimitReader(z, a.Unpacked+int64(a.Files+2)*4096+1<<20))
	files, left := 0, a.Unpacked
	for {
		head, err := t.Next()
		if err == io.EOF {
			if files != a.Files || left != 0 {
				return fmt.Errorf("%d files and %d bytes: the manifest says %d and %d", files, a.Unpacked-left, a.Files, a.Unpacked)
			}
			return nil
		}
		if err != nil {
			return err
		}
		name := path.Clean(head.Name)
		if files++; files > a.Files {
			return fmt.Errorf("more than %d files", a.Files)
		}
		if !localPath(name) {
			return fmt.Errorf("%q: it leads out of the release", head.Name)
		}
		switch head.Typeflag {
		case tar.TypeDir:
			if err := root.Mkdir(name, 0o755); err != nil {
				return err
			}
		case tar.TypeReg:
			if head.Size > left {
				return fmt.Errorf("%s: more than %d bytes in all files", name, a.Unpacked)
			}
			left -= head.Size
			if err := unpackFile(root, name, t, head); err != nil {
				return err
			}
		default:
			return fmt.Errorf("%s: neither file nor folder", name)
		}
	}
}

// unpackFile writes one file. A name that comes twice is an error, since the
// second would replace what the first was.
func unpackFile(root *os.Root, name string, r io.Reader, head *tar.Header) error {
	mode := os.FileMode(0o644)
	if head.Mode&0o111 != 0 {
		mode = 0o755
	}
	f, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	_, err = io.CopyN(f, r, head.Size)
	if err == nil {
		err = f.Sync()
	}
	if e := f.Close(); err == nil {
		err = e
	}
	return err
}
