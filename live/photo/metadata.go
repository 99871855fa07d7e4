package photo

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"hash/crc32"
	"image"
	"io"
)

// metadata is what is read of a file beside its pixels. The zero metadata is
// that of a file without any: metadata that makes no sense is none.
type metadata struct {
	orientation orientation
	icc         []byte
}

// profileMax bounds a color profile, in bytes.
const profileMax = 4 << 20

// jpegMetadata reads the segments before the pixels.
func jpegMetadata(file []byte) metadata {
	var m metadata
	parts := map[byte][]byte{}
	var count byte
	jpegSegments(file, func(marker byte, body []byte) {
		switch {
		case marker == 0xe1 && bytes.HasPrefix(body, []byte("Exif\x00\x00")) && m.orientation == 0:
			m.orientation = exifOrientation(body[6:])
		case marker == 0xe2 && bytes.HasPrefix(body, []byte(iccName)) && len(body) > iccHead:
			parts[body[iccHead-2]], count = body[iccHead:], body[iccHead-1]
		}
	})
	for i := byte(1); i <= count && i != 0; i++ {
		part, there := parts[i]
		if !there || len(m.icc)+len(part) > profileMax {
			m.icc = nil
			break
		}
		m.icc = append(m.icc, part...)
	}
	return m
}

// iccName begins a JPEG segment with a part of a profile; its number and how
// many there are follow.
const (
	iccName = "ICC_PROFILE\x00"
	iccHead = len(iccName) + 2
)

// jpegSegments calls each with every segment up to the pixels.
func jpegSegments(file []byte, each func(marker byte, body []byte)) {
	for at := 2; at+4 <= len(file) && file[at] == 0xff; {
		marker := file[at+1]
		switch {
		case marker == 0xff: // a fill byte
			at++
			continue
		case marker == 0xda || marker == 0xd9: // the pixels, the end
			return
		case marker == 0x01 || marker >= 0xd0 && marker <= 0xd8: // without a body
			at += 2
			continue
		}
		size := int(binary.BigEndian.Uint16(file[at+2:]))
		if size < 2 || at+2+size > len(file) {
			return
		}
		each(marker, file[at+4:at+2+size])
		at += 2 + size
	}
}

// jpegProfile returns the segments that carry a profile, or nil.
func jpegProfile(icc []byte) []byte {
	const most = 0xffff - 2 - iccHead // bytes of a profile in one segment
	count := (len(icc) + most - 1) / most
	if count == 0 || count > 255 {
		return nil
	}
	var out []byte
	for i := range count {
		part := icc[i*most : min((i+1)*most, len(icc))]
		out = append(out, 0xff, 0xe2)
		out = binary.BigEndian.AppendUint16(out, uint16(2+iccHead+len(part)))
		out = append(out, iccName...)
		out = append(out, byte(i+1), byte(count))
		out = append(out, part...)
	}
	return out
}

const (
	pngMagic = "\x89PNG\r\n\x1a\n"
	ihdrSize = 4 + 4 + 13 + 4 // of PNG's first chunk, whole
)

// pngMetadata reads the chunks before the pixels.
func pngMetadata(file []byte) metadata {
	var m metadata
	for at := len(pngMagic); at+12 <= len(file); {
		size := int(binary.BigEndian.Uint32(file[at:]))
		name := string(file[at+4 : at+8])
		if size < 0 || size > len(file)-at-12 || name == "IDAT" {
			break
		}
		body := file[at+8 : at+8+size]
		switch name {
		case "eXIf":
			m.orientation = exifOrientation(body)
		case "iCCP":
			m.icc = inflateProfile(body)
		}
		at += 12 + size
	}
	return m
}

// inflateProfile returns the profile in an iCCP chunk, or nil.
func inflateProfile(body []byte) []byte {
	end := bytes.IndexByte(body, 0)
	if end < 1 || end > 79 || len(body) < end+2 || body[end+1] != 0 {
		return nil
	}
	r, err := zlib.NewReader(bytes.NewReader(body[end+2:]))
	if err != nil {
		return nil
	}
	icc, err := io.ReadAll(io.LimitReader(r, profileMax+1))
	if err != nil || len(icc) > profileMax {
		return nil
	}
	return icc
}

// pngProfile returns the chunk that carries a profile, or nil.
func pngProfile(icc []byte) []byte {
	if icc == nil {
		return nil
	}
	body := bytes.NewBufferString("iCCPicc\x00\x00")
	z := zlib.NewWriter(body)
	z.Write(icc) // to memory: it cannot fail
	z.Close()
	out := binary.BigEndian.AppendUint32(nil, uint32(body.Len()-4))
	out = append(out, body.Bytes()...)
	return binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(body.Bytes()))
}

// exifOrientation returns what the TIFF structure of an Exif block says about
// orientation, or 0.
func exifOrientation(tiff []byte) orientation {
	if len(tiff) < 8 {
		return 0
	}
	var order binary.ByteOrder
	switch string(tiff[:4]) {
	case "II*\x00":
		order = binary.LittleEndian
	case "MM\x00*":
		order = binary.BigEndian
	default:
		return 0
	}
	at := int64(order.Uint32(tiff[4:]))
	if at+2 > int64(len(tiff)) {
		return 0
	}
	entries := int64(order.Uint16(tiff[at:]))
	for i := range entries {
		e := at + 2 + 12*i
		if e+12 > int64(len(tiff)) {
			return 0
		}
		const tag, short = 0x0112, 3
		if order.Uint16(tiff[e:]) == tag && order.Uint16(tiff[e+2:]) == short {
			if o := orientation(order.Uint16(tiff[e+8:])); o >= 1 && o <= 8 {
				return o
			}
			return 0
		}
	}
	return 0
}

// profileFits reports whether a profile describes the colors that are written:
// those of gray pixels stay gray, any others become RGB. A profile of printing
// inks would paint an RGB picture wrong.
func profileFits(icc []byte, pixels image.Image) bool {
	const header = 128
	if len(icc) < header || string(icc[36:40]) != "acsp" {
		return false
	}
	space := string(icc[16:20])
	if _, inks := pixels.(*image.CMYK); inks {
		return false
	}
	if isGray(pixels) {
		return space == "GRAY"
	}
	return space == "RGB "
}
