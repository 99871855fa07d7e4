// Package sample makes photos to measure and to test with: the same options are
// the same bytes.
package sample

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/color"
	"image/jpeg"
	"math/rand/v2"
)

// Options say what photo to make. The zero Options make nothing: it has no
// pixels.
type Options struct {
	Width, Height int    // in the file, before it is turned upright
	Orientation   int    // of the Exif tag, 1 to 8; 0: there is none
	ICC           []byte // color profile; nil: none
	Quality       int    // of the JPEG; 0: 90
	Seed          uint64 // of the noise
}

// At returns the color of the picture at x, y, both from 0 to 1, as it is seen
// upright: red grows to the right, green downwards, and blue is strong in the
// upper left quarter.
func At(x, y float64) color.RGBA {
	c := color.RGBA{R: uint8(40 + 170*x), G: uint8(40 + 170*y), B: 30, A: 255}
	if x < 0.5 && y < 0.5 {
		c.B = 220
	}
	return c
}

// JPEG returns a photo: smooth colors with the noise of a camera.
func JPEG(o Options) []byte {
	noise := rand.New(rand.NewPCG(o.Seed, 1))
	img := image.NewRGBA(image.Rect(0, 0, o.Width, o.Height))
	for y := range o.Height {
		for x := range o.Width {
			u, v := upright(o.Orientation, (float64(x)+0.5)/float64(o.Width), (float64(y)+0.5)/float64(o.Height))
			c := At(u, v)
			n := uint8(noise.Uint32() & 7)
			i := img.PixOffset(x, y)
			img.Pix[i], img.Pix[i+1], img.Pix[i+2], img.Pix[i+3] = c.R+n, c.G+n, c.B+n, 255
		}
	}
	if o.Quality == 0 {
		o.Quality = 90
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, &jpeg.Options{Quality: o.Quality}); err != nil {
		panic(err) // to memory, of a size that JPEG knows
	}
	file := b.Bytes()
	head := append([]byte{}, file[:2]...)
	if o.Orientation > 0 {
		head = append(head, Segment(0xe1, append([]byte("Exif\x00\x00"), Exif(binary.BigEndian, o.Orientation)...))...)
	}
	if o.ICC != nil {
		head = append(head, Segment(0xe2, append([]byte("ICC_PROFILE\x00\x01\x01"), o.ICC...))...)
	}
	return append(head, file[2:]...)
}

// upright returns where a point of the file is seen when the orientation is
// honored.
func upright(orientation int, x, y float64) (float64, float64) {
	switch orientation {
	case 2:
		return 1 - x, y
	case 3:
		return 1 - x, 1 - y
	case 4:
		return x, 1 - y
	case 5:
		return y, x
	case 6:
		return 1 - y, x
	case 7:
		return 1 - y, 1 - x
	case 8:
		return y, 1 - x
	}
	return x, y
}

// Segment returns a segment of a JPEG file.
func Segment(marker byte, body []byte) []byte {
	s := binary.BigEndian.AppendUint16([]byte{0xff, marker}, uint16(len(body)+2))
	return append(s, body...)
}

// Exif returns an Exif block that says nothing but an orientation.
func Exif(order binary.ByteOrder, orientation int) []byte {
	b := make([]byte, 8+2+12+4)
	copy(b, "MM\x00*")
	if order == binary.ByteOrder(binary.LittleEndian) {
		copy(b, "II*\x00")
	}
	order.PutUint32(b[4:], 8)
	order.PutUint16(b[8:], 1)
	order.PutUint16(b[10:], 0x0112)
	order.PutUint16(b[12:], 3)
	order.PutUint32(b[14:], 1)
	order.PutUint16(b[18:], uint16(orientation))
	return b
}

// Profile returns a color profile of a color space, "RGB " or "GRAY", that
// describes nothing: enough for what only carries it.
func Profile(space string) []byte {
	p := make([]byte, 400)
	binary.BigEndian.PutUint32(p, uint32(len(p)))
	copy(p[16:], space)
	copy(p[36:], "acsp")
	for i := 128; i < len(p); i++ {
		p[i] = byte(i * 7)
	}
	return p
}
