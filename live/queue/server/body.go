package server

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"sync"
	"time"

	"github.com/skynet-ec2/skynet/live/api"

	"github.com/klauspost/compress/zstd"
)

// bodyBytesMax bounds the body of a call that carries no batch.
const bodyBytesMax = 1 << 20

// bodyWithin is how long a caller may take to send a body.
const bodyWithin = 30 * time.Second

var bodies = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// keptBytesMax is how large a buffer is kept for another call.
const keptBytesMax = 256 << 10

// readBody reads the body of a request, unpacked, into a buffer, and hands it to
// use. The bytes are valid during use only.
func readBody(w http.ResponseWriter, r *http.Request, most int64, use func([]byte) error) error {
	control := http.NewResponseController(w)
	control.SetReadDeadline(time.Now().Add(bodyWithin)) // not every writer can: then the server's own timeouts hold
	packed := http.MaxBytesReader(w, r.Body, most)
	unpacked, done, err := unpack(packed, r.Header.Get("Content-Encoding"))
	if err != nil {
		return err
	}
	defer done()

	buffer := bodies.Get().(*bytes.Buffer)
	buffer.Reset()
	defer func() {
		if buffer.Cap() <= keptBytesMax {
			bodies.Put(buffer)
		}
	}()
	n, err := buffer.ReadFrom(io.LimitReader(unpacked, most+1))
	control.SetReadDeadline(time.Time{}) // a long poll must not end with it
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge) || n > most:
		bound := float64(most)
		return &api.Error{Code: api.CodeTooLarge, Field: "body", Max: &bound, Message: fmt.Sprintf("the body is larger than %d bytes", most)}
	case err != nil:
		return &api.Error{Code: api.CodeMalformed, Field: "body", Message: "the body cannot be read: it is cut, or not packed as Content-Encoding says"}
	}
	return use(buffer.Bytes())
}

// windowBytesMax bounds the memory that unpacking zstd may take.
const windowBytesMax = 8 << 20

// unpack returns a reader of what a body holds, and what to call when it is done
// with.
func unpack(r io.Reader, encoding string) (io.Reader, func(), error) {
	switch encoding {
	case "", "identity":
		return r, func() {}, nil
	case "gzip":
		z, err := gzip.NewReader(r)
		if err != nil {
			return nil, nil, &api.Error{Code: api.CodeMalformed, Field: "body", Message: "the body is not gzip"}
		}
		return z, func() { z.Close() }, nil
	case "zstd":
		z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(windowBytesMax), zstd.WithDecoderLowmem(true))
		if err != nil {
			return nil, nil, &api.Error{Code: api.CodeMalformed, Field: "body", Message: "the body is not zstd"}
		}
		return z, z.Close, nil
	}
	return nil, nil, &api.Error{Code: api.CodeMediaType, Field: "Content-Encoding", Allowed: []string{"gzip", "zstd"}, Message: fmt.Sprintf("Content-Encoding %q is not understood", cut(encoding, 40))}
}

const lines = "application/x-ndjson"

// mediaType returns the type of a request's body. What curl sends by default
// counts as JSON.
func mediaType(r *http.Request, takesLines bool) (string, error) {
	given := r.Header.Get("Content-Type")
	media, _, err := mime.ParseMediaType(given)
	switch {
	case given == "", media == "application/json", media == "application/x-www-form-urlencoded":
		return "application/json", nil
	case takesLines && (media == lines || media == "application/jsonl"):
		return lines, nil
	}
	allowed := []string{"application/json"}
	if takesLines {
		allowed = append(allowed, lines)
	}
	e := &api.Error{Code: api.CodeMediaType, Field: "Content-Type", Allowed: allowed, Message: fmt.Sprintf("Content-Type %q is not understood", cut(given, 80))}
	if err != nil {
		e.Message = "Content-Type is not a media type"
	}
	return "", e
}
