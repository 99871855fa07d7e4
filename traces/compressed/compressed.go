// Package compressed reads and writes text that is plain, gzip or zstd: read by
// its first bytes, written by the extension of its file. Traces and journals go
// through it, in the simulator and in production.
package compressed

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strings"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// windowMax is the most memory a zstd file may ask its reader to keep.
const windowMax = 128 << 20

// Reader reads text, decompressed. Where the compressed data ends too early,
// Read returns io.ErrUnexpectedEOF after what was whole.
type Reader struct {
	*bufio.Reader
	// Kind of the compression: "", "gzip" or "zstd".
	Kind string
	done func()
}

// NewReader looks at the first bytes of r and undoes its compression. Close
// frees its memory; r stays open.
func NewReader(r io.Reader) (*Reader, error) {
	raw := bufio.NewReaderSize(r, 64<<10)
	magic, err := raw.Peek(4)
	if err != nil && err != io.EOF {
		return nil, err
	}
	c := &Reader{Reader: raw, done: func() {}}
	switch {
	case bytes.HasPrefix(magic, []byte{0x1f, 0x8b}):
		c.Kind = "gzip"
		z, err := gzip.NewReader(raw)
		if err != nil {
			return nil, &Error{c.Kind, err}
		}
		c.Reader = bufio.NewReaderSize(z, 64<<10)
	case bytes.Equal(magic, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		c.Kind = "zstd"
		z, err := zstd.NewReader(raw, zstd.WithDecoderMaxWindow(windowMax), zstd.WithDecoderConcurrency(1))
		if err != nil {
			return nil, &Error{c.Kind, err}
		}
		c.done = z.Close
		c.Reader = bufio.NewReaderSize(z, 64<<10)
	}
	return c, nil
}

// Close frees what decompressing took.
func (c *Reader) Close() error {
	c.done()
	return nil
}

// Error is data that cannot be decompressed.
type Error struct {
	Kind string // gzip or zstd
	Err  error
}

// Error says what is the matter with the data.
func (e *Error) Error() string {
	if Truncated(e.Err) {
		return "the " + e.Kind + " data ends early: the file is truncated"
	}
	return "the " + e.Kind + " data is damaged: " + e.Err.Error()
}

func (e *Error) Unwrap() error { return e.Err }

// Truncated reports whether reading failed because the data ends too early.
func Truncated(err error) bool {
	return errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF)
}

// Writer writes text, compressed. Flush hands over all that was written so far,
// so that it can be read back whatever happens; Close ends the data. Neither
// closes the writer below.
type Writer interface {
	io.WriteCloser
	Flush() error
}

// NewWriter returns the Writer to w that a file called name asks for: gzip for
// .gz, zstd for .zst, otherwise none.
func NewWriter(w io.Writer, name string) (Writer, error) {
	switch name = strings.ToLower(name); {
	case strings.HasSuffix(name, ".gz"):
		return gzip.NewWriter(w), nil
	case strings.HasSuffix(name, ".zst"):
		return zstd.NewWriter(w, zstd.WithEncoderConcurrency(1))
	}
	return plain{bufio.NewWriterSize(w, 64<<10)}, nil
}

// plain is text as it is.
type plain struct{ *bufio.Writer }

func (p plain) Close() error { return p.Flush() }
