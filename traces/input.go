package traces

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/skynet-ec2/skynet/traces/compressed"
	"github.com/skynet-ec2/skynet/traces/pipe"
)

// input is an open file: plain, or decompressed as it is read.
type input struct {
	path string
	file io.Closer
	at   io.ReaderAt // the file as it stands, for formats that jump about; nil if it cannot
	size int64       // of a file that can jump about
	r    io.Reader   // the decompressed text
	head []byte      // its first bytes, still to be read from r
	zip  string      // "", "gzip" or "zstd"
	done func()      // releases the decompressor
	pipe bool        // what was read is gone
}

// openInput opens path and looks at its first bytes.
func openInput(path string, opt Options) (*input, error) {
	ctx := opt.Context
	if ctx == nil {
		ctx = context.Background()
	}
	f, err := pipe.Open(ctx, path)
	if err != nil {
		return nil, err
	}
	info := f.Info()
	if info.IsDir() {
		f.Close()
		return nil, &InputError{File: path, Reason: "is a directory, not a trace"}
	}
	in, err := newInput(path, f)
	if err != nil {
		f.Close()
		return nil, err
	}
	in.file, in.pipe = f, info.Mode()&fs.ModeNamedPipe != 0
	in.at, in.size = f.At(), info.Size()
	return in, nil
}

// newInput looks at the first bytes of r and undoes its compression.
func newInput(path string, r io.Reader) (*input, error) {
	const headLen = 4096
	in := &input{path: path, done: func() {}}
	plain, err := compressed.NewReader(r)
	if err != nil {
		var damaged *compressed.Error
		if errors.As(err, &damaged) {
			in.zip, err = damaged.Kind, damaged.Err
		}
		return nil, in.readError(err, 0)
	}
	in.zip = plain.Kind
	in.done = func() { plain.Close() }
	in.head, err = plain.Peek(headLen)
	if err != nil && err != io.EOF {
		in.done()
		return nil, in.readError(err, 0)
	}
	in.r = plain
	return in, nil
}

func (in *input) Close() error {
	in.done()
	if in.file == nil {
		return nil
	}
	return in.file.Close()
}

// readError turns an error of reading or decompressing into one that says
// what is the matter with the file. line is where reading stopped.
func (in *input) readError(err error, line int64) error {
	if in.zip == "" {
		return fmt.Errorf("read %s: %w", in.path, err)
	}
	return &InputError{
		File: in.path, Line: line, Err: err,
		Reason: (&compressed.Error{Kind: in.zip, Err: err}).Error(), Fix: "fetch or copy the file again",
	}
}

// stem returns the file's name without folder, compression and format.
func stem(path string) string {
	name := filepath.Base(path)
	for _, ext := range []string{".gz", ".zst"} {
		name = strings.TrimSuffix(name, ext)
	}
	if i := strings.LastIndexByte(name, '.'); i > 0 {
		name = name[:i]
	}
	return name
}
