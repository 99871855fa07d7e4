package ec2api

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
)

// Transport carries requests to a handler without a socket: the transport of a
// client in a test under a fake clock. A client that gives up does not stop the
// handler, as it would not stop EC2: what it asked for may still happen.
type Transport struct{ Handler http.Handler }

// errCut is what a client sees of a reply that never comes.
var errCut = errors.New("connection reset by peer")

// RoundTrip implements http.RoundTripper.
func (t Transport) RoundTrip(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		var err error
		if body, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
		r.Body.Close()
	}
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	// the server's side lives on when the client has gone
	served := r.Clone(context.WithoutCancel(r.Context()))
	served.Body = io.NopCloser(bytes.NewReader(body))
	served.RequestURI = r.URL.RequestURI()
	if served.Host == "" {
		served.Host = r.URL.Host
	}
	done := make(chan *http.Response, 1)
	go func() {
		reply := &recorder{header: http.Header{}, status: http.StatusOK}
		defer func() {
			if p := recover(); p == http.ErrAbortHandler {
				done <- nil
			} else if p != nil {
				panic(p)
			}
		}()
		t.Handler.ServeHTTP(reply, served)
		done <- reply.response(r)
	}()
	select {
	case response := <-done:
		if response == nil {
			return nil, errCut
		}
		return response, nil
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
}

// recorder keeps a reply.
type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (w *recorder) Header() http.Header         { return w.header }
func (w *recorder) WriteHeader(status int)      { w.status = status }
func (w *recorder) Write(p []byte) (int, error) { return w.body.Write(p) }

func (w *recorder) response(r *http.Request) *http.Response {
	return &http.Response{
		StatusCode: w.status, Status: http.StatusText(w.status),
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: w.header, Body: io.NopCloser(&w.body), ContentLength: int64(w.body.Len()), Request: r,
	}
}
