package input

import (
	"errors"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
)

// openFile opens a file below one of the folders. Neither .. nor a symbolic
// link leads out of them.
func (f *Fetcher) openFile(uri string, u *url.URL) (io.ReadCloser, error) {
	if u.Host != "" && u.Host != "localhost" {
		return nil, refuse(uri, "a file of another machine")
	}
	path := filepath.FromSlash(u.Path)
	if !filepath.IsAbs(path) {
		return nil, refuse(uri, "the path must be absolute")
	}
	for _, folder := range f.Folders {
		within, err := filepath.Rel(folder, path)
		if err != nil || within == ".." || strings.HasPrefix(within, ".."+string(filepath.Separator)) {
			continue
		}
		root, err := os.OpenRoot(folder)
		if err != nil {
			return nil, refuse(uri, "%v", err)
		}
		defer root.Close()
		file, err := openRegular(root, within)
		switch {
		case errors.Is(err, fs.ErrNotExist), errors.Is(err, fs.ErrPermission), errors.Is(err, errNotRegular):
			return nil, refuse(uri, "%v", err)
		case err != nil && strings.Contains(err.Error(), "escapes"):
			return nil, refuse(uri, "it leads out of %s", folder)
		case err != nil:
			return nil, err
		}
		return file, nil
	}
	if len(f.Folders) == 0 {
		return nil, refuse(uri, "this worker reads no files of its disk")
	}
	return nil, refuse(uri, "files may be read below %s only", strings.Join(f.Folders, ", "))
}

var errNotRegular = errors.New("it is no regular file")

// openRegular opens a file, and not a pipe or device, which may never end.
func openRegular(root *os.Root, name string) (*os.File, error) {
	if info, err := root.Stat(name); err != nil {
		return nil, err
	} else if !info.Mode().IsRegular() {
		return nil, errNotRegular
	}
	return root.Open(name)
}
