// Package photo makes sizes, rotations and watermarked copies of photos.
//
// It reads and writes JPEG and PNG. What it writes stands upright, whatever the
// camera's orientation tag said, and carries the color profile of what it read.
// Nothing else of a file's metadata is kept: not the camera, nor where it was.
package photo

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"image/png"
	"io"
)

// A Photo is a decoded picture. Its pixels are as they stand in the file;
// orientation says how to hold them.
type Photo struct {
	Format Format
	ICC    []byte // the color profile; nil: none

	pixels      image.Image
	orientation orientation
}

// A Format is what a file is encoded as.
type Format string

// The formats.
const (
	JPEG Format = "jpeg"
	PNG  Format = "png"
)

// Formats are the words for the formats.
var Formats = []string{string(JPEG), string(PNG)}

// Extension returns how names of files of the format end.
func (f Format) Extension() string {
	if f == PNG {
		return ".png"
	}
	return ".jpg"
}

// ContentType returns the format's media type.
func (f Format) ContentType() string { return "image/" + string(f) }

// Bounds are how large a photo may be. A small file can hold a huge picture:
// it is measured before it is decoded.
type Bounds struct {
	Bytes  int64 // of the file; 0: BytesMax
	Pixels int64 // width × height; 0: PixelsMax
}

// The bounds where none are given. A pixel takes up to 16 bytes of memory while
// a progressive JPEG is decoded.
const (
	BytesMax  = 256 << 20
	PixelsMax = 128_000_000
)

func (b Bounds) bytes() int64 {
	if b.Bytes > 0 {
		return b.Bytes
	}
	return BytesMax
}

func (b Bounds) pixels() int64 {
	if b.Pixels > 0 {
		return b.Pixels
	}
	return PixelsMax
}

// ErrBad is in the chain of every error about a file that is no photo, or not
// one that may be read.
var ErrBad = errors.New("not a photo that can be read")

func bad(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrBad, fmt.Sprintf(format, args...))
}

// Read decodes a JPEG or PNG.
func Read(r io.Reader, b Bounds) (*Photo, error) {
	file, err := io.ReadAll(io.LimitReader(r, b.bytes()+1))
	if err != nil {
		return nil, fmt.Errorf("photo: %w", err)
	}
	if int64(len(file)) > b.bytes() {
		return nil, bad("more than %d bytes", b.bytes())
	}
	p := &Photo{}
	var tags metadata
	var decode func(io.Reader) (image.Image, error)
	var measure func(io.Reader) (image.Config, error)
	switch {
	case bytes.HasPrefix(file, []byte("\xff\xd8\xff")):
		p.Format, decode, measure = JPEG, jpeg.Decode, jpeg.DecodeConfig
		tags = jpegMetadata(file)
	case bytes.HasPrefix(file, []byte(pngMagic)):
		p.Format, decode, measure = PNG, png.Decode, png.DecodeConfig
		tags = pngMetadata(file)
	default:
		return nil, bad("it is neither JPEG nor PNG")
	}
	size, err := measure(bytes.NewReader(file))
	if err != nil {
		return nil, bad("%v", err)
	}
	if size.Width < 1 || size.Height < 1 || int64(size.Width)*int64(size.Height) > b.pixels() {
		return nil, bad("%d × %d pixels: must be from 1 to %d", size.Width, size.Height, b.pixels())
	}
	if p.pixels, err = decode(bytes.NewReader(file)); err != nil {
		return nil, bad("%v", err)
	}
	p.orientation = tags.orientation
	if profileFits(tags.icc, p.pixels) {
		p.ICC = tags.icc
	}
	return p, nil
}

// Dimensions returns width and height in pixels, held upright.
func (p *Photo) Dimensions() (width, height int) {
	size := p.pixels.Bounds().Size()
	if p.orientation.swaps() {
		return size.Y, size.X
	}
	return size.X, size.Y
}

// QualityDefault is the JPEG quality where none is asked for.
const QualityDefault = 88

// Write encodes the photo, upright, with its profile. Quality is that of JPEG,
// 1 to 100; 0 is QualityDefault. What is transparent becomes white in a JPEG.
func (p *Photo) Write(w io.Writer, format Format, quality int) error {
	upright := p.upright()
	if quality == 0 {
		quality = QualityDefault
	}
	switch format {
	case JPEG:
		out := &afterHead{w: w, head: 2, insert: jpegProfile(p.ICC)} // behind the SOI marker
		return jpeg.Encode(out, opaque(upright), &jpeg.Options{Quality: quality})
	case PNG:
		out := &afterHead{w: w, head: len(pngMagic) + ihdrSize, insert: pngProfile(p.ICC)}
		return png.Encode(out, upright)
	}
	return fmt.Errorf("photo: format %q: must be jpeg or png", format)
}

// afterHead writes insert behind the first bytes of what it is given.
type afterHead struct {
	w      io.Writer
	head   int // bytes until insert
	insert []byte
}

func (a *afterHead) Write(p []byte) (n int, err error) {
	if a.insert != nil {
		n = min(a.head, len(p))
		if _, err := a.w.Write(p[:n]); err != nil {
			return 0, err
		}
		if a.head -= n; a.head > 0 {
			return n, nil
		}
		if _, err := a.w.Write(a.insert); err != nil {
			return 0, err
		}
		a.insert = nil
	}
	m, err := a.w.Write(p[n:])
	return n + m, err
}
