package photo

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/skynet-ec2/skynet/live/photo/sample"
)

func read(t testing.TB, file []byte) *Photo {
	t.Helper()
	p, err := Read(bytes.NewReader(file), Bounds{})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// written encodes p and reads it again.
func written(t testing.TB, p *Photo, f Format) *Photo {
	t.Helper()
	var b bytes.Buffer
	if err := p.Write(&b, f, 95); err != nil {
		t.Fatal(err)
	}
	return read(t, b.Bytes())
}

// looksLike fails the test unless a picture shows the sample, turned so.
func looksLike(t *testing.T, what string, m image.Image, turn func(x, y float64) (float64, float64)) {
	t.Helper()
	b := m.Bounds()
	for _, at := range [][2]float64{{0.2, 0.2}, {0.8, 0.2}, {0.2, 0.8}, {0.8, 0.8}, {0.7, 0.55}} {
		x, y := at[0], at[1]
		got := color.RGBAModel.Convert(m.At(b.Min.X+int(x*float64(b.Dx())), b.Min.Y+int(y*float64(b.Dy())))).(color.RGBA)
		u, v := x, y
		if turn != nil {
			u, v = turn(x, y)
		}
		want := sample.At(u, v)
		if far(got.R, want.R) || far(got.G, want.G) || far(got.B, want.B) {
			t.Errorf("%s at %v: %v, want %v", what, at, got, want)
		}
	}
}

func far(a, b uint8) bool {
	d := int(a) - int(b)
	return d > 16 || d < -16
}

func TestOrientations(t *testing.T) {
	for o := 0; o <= 8; o++ {
		w, h := 120, 90
		if o >= 5 {
			w, h = h, w
		}
		p := read(t, sample.JPEG(sample.Options{Width: w, Height: h, Orientation: o}))
		if gw, gh := p.Dimensions(); gw != 120 || gh != 90 {
			t.Errorf("orientation %d: %d × %d", o, gw, gh)
		}
		for _, f := range []Format{JPEG, PNG} {
			again := written(t, p, f)
			if again.orientation > 1 {
				t.Errorf("orientation %d: the tag is kept", o)
			}
			looksLike(t, fmt.Sprintf("orientation %d, %s", o, f), again.pixels, nil)
		}
		sizes, err := p.Resize([]Size{{Name: "a", Width: 60, Height: 60}})
		if err != nil {
			t.Fatal(err)
		}
		if gw, gh := sizes[0].Dimensions(); gw != 60 || gh != 45 {
			t.Errorf("orientation %d: resized to %d × %d", o, gw, gh)
		}
		looksLike(t, fmt.Sprintf("orientation %d, resized", o), sizes[0].upright(), nil)
		turned, err := p.Rotate(90)
		if err != nil {
			t.Fatal(err)
		}
		looksLike(t, fmt.Sprintf("orientation %d, turned", o), turned.upright(), func(x, y float64) (float64, float64) { return y, 1 - x })
	}
}

func TestRotate(t *testing.T) {
	p := read(t, sample.JPEG(sample.Options{Width: 120, Height: 90, Orientation: 3}))
	for degrees, turn := range map[int]func(x, y float64) (float64, float64){
		0:   func(x, y float64) (float64, float64) { return x, y },
		90:  func(x, y float64) (float64, float64) { return y, 1 - x },
		180: func(x, y float64) (float64, float64) { return 1 - x, 1 - y },
		270: func(x, y float64) (float64, float64) { return 1 - y, x },
	} {
		r, err := p.Rotate(degrees)
		if err != nil {
			t.Fatal(err)
		}
		looksLike(t, fmt.Sprint(degrees), r.upright(), turn)
	}
	if _, err := p.Rotate(45); err == nil {
		t.Error("turned by 45°")
	}
}

func TestExifOfBothByteOrders(t *testing.T) {
	for _, order := range []binary.ByteOrder{binary.BigEndian, binary.LittleEndian} {
		if o := exifOrientation(sample.Exif(order, 6)); o != 6 {
			t.Errorf("%v: %d", order, o)
		}
	}
	for _, bad := range [][]byte{nil, []byte("MM\x00*"), []byte("MM\x00*\xff\xff\xff\xff"), sample.Exif(binary.BigEndian, 9), sample.Exif(binary.BigEndian, 6)[:15]} {
		if o := exifOrientation(bad); o != 0 {
			t.Errorf("%q: %d", bad, o)
		}
	}
}

func TestProfileIsKept(t *testing.T) {
	small := sample.Profile("RGB ")
	large := append(sample.Profile("RGB "), bytes.Repeat([]byte("curve"), 40_000)...) // in several segments
	for name, icc := range map[string][]byte{"small": small, "large": large} {
		base := read(t, sample.JPEG(sample.Options{Width: 40, Height: 30}))
		base.ICC = icc
		p := written(t, base, JPEG)
		if !bytes.Equal(p.ICC, icc) {
			t.Errorf("%s: JPEG has a profile of %d bytes, want %d", name, len(p.ICC), len(icc))
		}
		if q := written(t, p, PNG); !bytes.Equal(q.ICC, icc) {
			t.Errorf("%s: PNG has a profile of %d bytes, want %d", name, len(q.ICC), len(icc))
		}
		sizes, err := p.Resize([]Size{{Name: "a", Width: 20, Height: 20}, {Name: "b", Width: 5, Height: 5, Fit: Cover}})
		if err != nil {
			t.Fatal(err)
		}
		turned, err := p.Rotate(90)
		if err != nil {
			t.Fatal(err)
		}
		marked, err := p.Watermark(Watermark{Text: "©"})
		if err != nil {
			t.Fatal(err)
		}
		for _, made := range append(sizes, turned, marked) {
			if !bytes.Equal(made.ICC, icc) {
				t.Errorf("%s: the profile is lost on the way", name)
			}
		}
	}
	if p := read(t, sample.JPEG(sample.Options{Width: 40, Height: 30, ICC: sample.Profile("CMYK")})); p.ICC != nil {
		t.Error("a profile of inks on an RGB picture was kept")
	}
}

// grayFile returns a gray JPEG that gets brighter to the right.
func grayFile(t *testing.T) []byte {
	t.Helper()
	g := image.NewGray(image.Rect(0, 0, 64, 48))
	for i := range g.Pix {
		g.Pix[i] = uint8(4 * (i % 64))
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, g, nil); err != nil {
		t.Fatal(err)
	}
	head := append([]byte{}, b.Bytes()[:2]...)
	head = append(head, sample.Segment(0xe2, append([]byte("ICC_PROFILE\x00\x01\x01"), sample.Profile("GRAY")...))...)
	return append(head, b.Bytes()[2:]...)
}

func TestGrayStaysGray(t *testing.T) {
	p := read(t, grayFile(t))
	if p.ICC == nil {
		t.Fatal("the profile of grays is lost")
	}
	sizes, err := p.Resize([]Size{{Name: "a", Width: 32, Height: 32}})
	if err != nil {
		t.Fatal(err)
	}
	turned, err := p.Rotate(180)
	if err != nil {
		t.Fatal(err)
	}
	marked, err := p.Watermark(Watermark{Text: "©"})
	if err != nil {
		t.Fatal(err)
	}
	for name, made := range map[string]*Photo{"resized": sizes[0], "turned": turned, "marked": marked} {
		again := written(t, made, JPEG)
		g, ok := again.pixels.(*image.Gray)
		if !ok || again.ICC == nil {
			t.Errorf("%s: a %T, profile of %d bytes", name, again.pixels, len(again.ICC))
			continue
		}
		left, right := g.GrayAt(2, 4).Y, g.GrayAt(g.Rect.Dx()-3, 4).Y
		if (left < right) != (name != "turned") {
			t.Errorf("%s: %d at the left, %d at the right", name, left, right)
		}
	}
}

func TestTransparencyOnWhite(t *testing.T) {
	n := image.NewNRGBA(image.Rect(0, 0, 10, 10))
	n.Set(5, 5, color.NRGBA{R: 200, A: 255})
	var b bytes.Buffer
	if err := png.Encode(&b, n); err != nil {
		t.Fatal(err)
	}
	p := read(t, b.Bytes())
	if _, _, _, a := written(t, p, PNG).pixels.At(0, 0).RGBA(); a != 0 {
		t.Errorf("a PNG's transparency is lost: alpha %d", a)
	}
	if r, g, _, _ := written(t, p, JPEG).pixels.At(0, 0).RGBA(); r < 0xf000 || g < 0xf000 {
		t.Errorf("transparent became %d %d in a JPEG", r, g)
	}
}

func TestResizeSet(t *testing.T) {
	p := read(t, sample.JPEG(sample.Options{Width: 800, Height: 600, Orientation: 6})) // 600 × 800 upright
	made, err := p.Resize([]Size{
		{Name: "thumb", Width: 50, Height: 50, Fit: Cover},
		{Name: "large", Width: 400, Height: 400},
		{Name: "small", Width: 100, Height: 100},
		{Name: "wide", Width: 200, Height: 50, Fit: Cover},
		{Name: "huge", Width: 5000, Height: 5000},
		{Name: "blown up", Width: 900, Height: 900, Fit: Cover},
	})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range [][2]int{{50, 50}, {300, 400}, {75, 100}, {200, 50}, {600, 800}, {900, 900}} {
		if w, h := made[i].Dimensions(); w != want[0] || h != want[1] {
			t.Errorf("%d is %d × %d, want %v", i, w, h, want)
		}
	}
	for _, i := range []int{1, 2, 4} {
		looksLike(t, fmt.Sprint(i), made[i].upright(), nil)
	}
	// cut at the upper and lower ends: x as it is, y from its middle
	looksLike(t, "thumb", made[0].upright(), func(x, y float64) (float64, float64) { return x, 0.125 + 0.75*y })
	for _, bad := range []Size{{Width: 0, Height: 5}, {Width: 5, Height: -1}, {Width: SideMax + 1, Height: 5}, {Width: 60_000, Height: 60_000, Fit: Cover}, {Width: 5, Height: 5, Fit: "cower"}} {
		if _, err := p.Resize([]Size{bad}); err == nil {
			t.Errorf("%+v was made", bad)
		}
	}
	if err := (Size{Width: 5, Height: 5, Fit: "cower"}).Check(); !strings.Contains(err.Error(), `did you mean "cover"?`) {
		t.Error(err)
	}
}

// TestScaledFits: what is scaled inside a size fits into it, keeps its shape but
// for a pixel, and is never larger than it was.
func TestScaledFits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		side := rapid.IntRange(1, 5000)
		w, h := side.Draw(t, "w"), side.Draw(t, "h")
		s := Size{Width: side.Draw(t, "width"), Height: side.Draw(t, "height")}
		x, y := s.scaled(w, h)
		if x < 1 || y < 1 || x > s.Width || y > s.Height || x > w || y > h {
			t.Fatalf("%d × %d into %d × %d is %d × %d", w, h, s.Width, s.Height, x, y)
		}
		if x != w && x != s.Width && y != s.Height {
			t.Fatalf("%d × %d into %d × %d is %d × %d: it touches no side", w, h, s.Width, s.Height, x, y)
		}
		if d := x*h - y*w; max(d, -d) > max(w, h) {
			t.Fatalf("%d × %d into %d × %d is %d × %d: another shape", w, h, s.Width, s.Height, x, y)
		}
		m := middle(image.Rect(0, 0, w, h), s.Width, s.Height)
		if m.Empty() || !m.In(image.Rect(0, 0, w, h)) {
			t.Fatalf("the middle of %d × %d is %v", w, h, m)
		}
	})
}

func TestWatermarkStandsWhereItShould(t *testing.T) {
	p := read(t, sample.JPEG(sample.Options{Width: 400, Height: 300, Orientation: 8})) // 300 × 400 upright
	red := image.NewRGBA(image.Rect(0, 0, 40, 20))
	for i := 0; i < len(red.Pix); i += 4 {
		red.Pix[i], red.Pix[i+3] = 255, 255
	}
	mark := (&Photo{}).with(red)
	plain := p.upright()
	for _, position := range positions {
		for name, m := range map[string]Watermark{"text": {Text: "© Ada", Position: position.word}, "mark": {Mark: mark, Position: position.word, Opacity: 1}} {
			out, err := p.Watermark(m)
			if err != nil {
				t.Fatal(err)
			}
			if w, h := out.Dimensions(); w != 300 || h != 400 {
				t.Fatalf("%d × %d", w, h)
			}
			changed := changes(plain, out.upright())
			x := float64(changed.Min.X+changed.Max.X) / 2 / 300
			y := float64(changed.Min.Y+changed.Max.Y) / 2 / 400
			if changed.Empty() || third(x) != third(position.x) || third(y) != third(position.y) {
				t.Errorf("%s at %s changed %v", name, position.word, changed)
			}
		}
	}
}

// third returns in which third of a side a place is.
func third(x float64) int { return min(2, int(3*x)) }

// changes returns where two pictures differ.
func changes(a, b image.Image) (r image.Rectangle) {
	for y := range a.Bounds().Dy() {
		for x := range a.Bounds().Dx() {
			r1, g1, b1, _ := a.At(x, y).RGBA()
			r2, g2, b2, _ := b.At(x, y).RGBA()
			if r1>>8 != r2>>8 || g1>>8 != g2>>8 || b1>>8 != b2>>8 {
				r = r.Union(image.Rect(x, y, x+1, y+1))
			}
		}
	}
	return r
}

func TestWatermarkFitsTinyPhotos(t *testing.T) {
	for _, size := range [][2]int{{1, 1}, {3, 200}, {200, 3}, {16, 16}} {
		p := read(t, sample.JPEG(sample.Options{Width: size[0], Height: size[1]}))
		for _, m := range []Watermark{{Text: strings.Repeat("long ", 30)}, {Mark: p}} {
			if out, err := p.Watermark(m); err != nil {
				t.Error(err)
			} else if w, h := out.Dimensions(); w != size[0] || h != size[1] {
				t.Errorf("%v became %d × %d", size, w, h)
			}
		}
	}
}

func TestWatermarkCheck(t *testing.T) {
	nan := 0.0
	nan /= nan
	p := read(t, sample.JPEG(sample.Options{Width: 8, Height: 8}))
	for _, m := range []Watermark{
		{},
		{Text: "a", Mark: p},
		{Text: "a", Opacity: 2},
		{Text: "a", Opacity: nan},
		{Text: "a", Scale: -1},
		{Text: "a", Scale: nan},
		{Text: strings.Repeat("a", TextMax+1)},
		{Text: "\xff"},
		{Text: "a", Position: "botom"},
	} {
		if _, err := p.Watermark(m); err == nil {
			t.Errorf("%+v was made", m)
		}
	}
}

// huge returns a small PNG that says it has so many pixels.
func huge(width, height uint32) []byte {
	ihdr := append([]byte("IHDR"), make([]byte, 13)...)
	binary.BigEndian.PutUint32(ihdr[4:], width)
	binary.BigEndian.PutUint32(ihdr[8:], height)
	ihdr[12], ihdr[13] = 8, 2
	file := append([]byte(pngMagic), 0, 0, 0, 13)
	file = append(file, ihdr...)
	return binary.BigEndian.AppendUint32(file, crc32.ChecksumIEEE(ihdr))
}

func TestBombsAndOtherFiles(t *testing.T) {
	good := sample.JPEG(sample.Options{Width: 60, Height: 40})
	for name, tt := range map[string]struct {
		file   []byte
		bounds Bounds
		says   string
	}{
		"huge":        {huge(50_000, 50_000), Bounds{}, "must be from 1 to 128000000"},
		"overflowing": {huge(0x7fffffff, 0x7fffffff), Bounds{}, ""},
		"no pixels":   {huge(0, 5), Bounds{}, ""},
		"many pixels": {good, Bounds{Pixels: 2399}, "60 × 40 pixels: must be from 1 to 2399"},
		"many bytes":  {good, Bounds{Bytes: 100}, "more than 100 bytes"},
		"text":        {[]byte("hello"), Bounds{}, "neither JPEG nor PNG"},
		"empty":       {nil, Bounds{}, "neither JPEG nor PNG"},
		"cut":         {good[:len(good)/2], Bounds{}, "JPEG"},
		"gif":         {[]byte("GIF89a"), Bounds{}, "neither JPEG nor PNG"},
	} {
		_, err := Read(bytes.NewReader(tt.file), tt.bounds)
		if !errors.Is(err, ErrBad) || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%s: %v, want one that says %q", name, err, tt.says)
		}
	}
	if _, err := Read(bytes.NewReader(good), Bounds{Pixels: 2400}); err != nil {
		t.Errorf("just small enough: %v", err)
	}
}

func FuzzRead(f *testing.F) {
	f.Add(sample.JPEG(sample.Options{Width: 16, Height: 8, Orientation: 6, ICC: sample.Profile("RGB ")}))
	f.Add(sample.JPEG(sample.Options{Width: 3, Height: 3}))
	var b bytes.Buffer
	p, err := Read(bytes.NewReader(sample.JPEG(sample.Options{Width: 9, Height: 7, ICC: sample.Profile("RGB ")})), Bounds{})
	if err != nil {
		f.Fatal(err)
	}
	if err := p.Write(&b, PNG, 0); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Add(huge(60_000, 60_000))
	f.Fuzz(func(t *testing.T, file []byte) {
		p, err := Read(bytes.NewReader(file), Bounds{Bytes: 1 << 16, Pixels: 1 << 12})
		if err != nil {
			if !errors.Is(err, ErrBad) {
				t.Fatal(err)
			}
			return
		}
		w, h := p.Dimensions()
		sizes, err := p.Resize([]Size{{Name: "a", Width: 7, Height: 5}, {Name: "b", Width: 4, Height: 9, Fit: Cover}})
		if err != nil {
			t.Fatal(err)
		}
		turned, err := p.Rotate(90)
		if err != nil {
			t.Fatal(err)
		}
		if x, y := turned.Dimensions(); x != h || y != w {
			t.Fatalf("%d × %d turned is %d × %d", w, h, x, y)
		}
		marked, err := p.Watermark(Watermark{Text: "x"})
		if err != nil {
			t.Fatal(err)
		}
		for _, made := range append(sizes, p, turned, marked) {
			for _, format := range []Format{JPEG, PNG} {
				again := written(t, made, format)
				x, y := made.Dimensions()
				if w, h := again.Dimensions(); w != x || h != y || !bytes.Equal(again.ICC, made.ICC) {
					t.Fatalf("%s of %d × %d with a profile of %d bytes reads as %d × %d with one of %d", format, x, y, len(made.ICC), w, h, len(again.ICC))
				}
			}
		}
	})
}
