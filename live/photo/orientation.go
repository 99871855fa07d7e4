package photo

import "image"

// An orientation is how a file's pixels must be turned to stand upright, by the
// numbers of Exif: 1 not at all, 2 mirrored left to right, 3 turned by 180°,
// 4 mirrored top to bottom, 5 transposed, 6 turned by 90° clockwise, 7
// transposed along the other diagonal, 8 turned by 270° clockwise. The zero
// orientation is unknown, and treated as 1.
type orientation uint16

// swaps reports whether width and height change places.
func (o orientation) swaps() bool { return o >= 5 && o <= 8 }

// source returns which pixel of a picture of w × h pixels comes to stand at x, y
// when it is turned upright.
func (o orientation) source(x, y, w, h int) (int, int) {
	switch o {
	case 2:
		return w - 1 - x, y
	case 3:
		return w - 1 - x, h - 1 - y
	case 4:
		return x, h - 1 - y
	case 5:
		return y, x
	case 6:
		return y, h - 1 - x
	case 7:
		return w - 1 - y, h - 1 - x
	case 8:
		return w - 1 - y, x
	}
	return x, y
}

// turn returns the pixels of src turned upright.
func (o orientation) turn(src image.Image) image.Image {
	if o < 2 || o > 8 {
		return src
	}
	if g, ok := src.(*image.Gray); ok {
		w, h := g.Rect.Dx(), g.Rect.Dy()
		out := image.NewGray(o.rect(w, h))
		o.move(out.Pix, out.Stride, g.Pix, g.Stride, w, h, 1)
		return out
	}
	in := toRGBA(src)
	w, h := in.Rect.Dx(), in.Rect.Dy()
	out := image.NewRGBA(o.rect(w, h))
	o.move(out.Pix, out.Stride, in.Pix, in.Stride, w, h, 4)
	return out
}

func (o orientation) rect(w, h int) image.Rectangle {
	if o.swaps() {
		w, h = h, w
	}
	return image.Rect(0, 0, w, h)
}

// move copies pixels of size bytes from a picture of w × h to the turned one.
func (o orientation) move(to []byte, toStride int, from []byte, fromStride, w, h, size int) {
	r := o.rect(w, h)
	for y := range r.Dy() {
		row := to[y*toStride:]
		// the pixels of a row of the turned picture lie evenly spaced in the other
		x0, y0 := o.source(0, y, w, h)
		x1, y1 := o.source(1, y, w, h)
		at, step := y0*fromStride+x0*size, (y1-y0)*fromStride+(x1-x0)*size
		for x := range r.Dx() {
			copy(row[x*size:x*size+size], from[at:at+size])
			at += step
		}
	}
}
