package input

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"syscall"
	"time"
)

// openHTTP opens an http or https address, signed or not.
func (f *Fetcher) openHTTP(ctx context.Context, uri string) (io.ReadCloser, error) {
	f.once.Do(func() { f.client = newClient(f.Private) })
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, uri, nil)
	if err != nil {
		return nil, refuse(uri, "it cannot be read as an address")
	}
	resp, err := f.client.Do(req)
	if err != nil {
		var hidden *url.Error
		if errors.As(err, &hidden) {
			err = hidden.Err // the address in it may be a secret
		}
		if errors.Is(err, errForbidden) {
			return nil, refuse(uri, "%v", err)
		}
		return nil, fmt.Errorf("input %s: %w", Redact(uri), err)
	}
	switch {
	case resp.StatusCode == http.StatusOK && resp.ContentLength > f.most():
		resp.Body.Close()
		return nil, refuse(uri, "%d bytes: may be %d", resp.ContentLength, f.most())
	case resp.StatusCode == http.StatusOK:
		return resp.Body, nil
	}
	resp.Body.Close()
	if passing(resp.StatusCode) {
		return nil, fmt.Errorf("input %s: %s", Redact(uri), resp.Status)
	}
	return nil, refuse(uri, "%s", resp.Status)
}

// passing reports whether a status may be another one later.
func passing(status int) bool {
	return status >= 500 || status == http.StatusRequestTimeout || status == http.StatusTooManyRequests
}

var errForbidden = errors.New("the address leads to a machine that jobs may not reach")

// newClient returns a client that connects to no address it must not. The check
// is made on the address that is connected to: after names are looked up, and
// again for each redirection.
func newClient(private bool) *http.Client {
	dialer := &net.Dialer{
		Timeout: 10 * time.Second,
		Control: func(_, address string, _ syscall.RawConn) error {
			host, err := netip.ParseAddrPort(address)
			if err != nil || !mayReach(host.Addr(), private) {
				return fmt.Errorf("%s: %w", address, errForbidden)
			}
			return nil
		},
	}
	return &http.Client{
		Transport: &http.Transport{
			DialContext:           dialer.DialContext,
			TLSHandshakeTimeout:   10 * time.Second,
			ResponseHeaderTimeout: 30 * time.Second,
			IdleConnTimeout:       60 * time.Second,
			ForceAttemptHTTP2:     true,
			DisableCompression:    true, // the bytes as they are
		},
		CheckRedirect: func(req *http.Request, via []*http.Request) error {
			if len(via) >= 5 {
				return errors.New("more than 5 redirections")
			}
			return nil
		},
	}
}

// mayReach reports whether jobs may fetch from an address. Link-local ones, of
// which one is the instance's metadata with its credentials, never.
func mayReach(a netip.Addr, private bool) bool {
	a = a.Unmap()
	switch {
	case a.IsLinkLocalUnicast(), a.IsMulticast(), a.IsUnspecified(), a == metadataV6:
		return false
	case a.IsLoopback(), a.IsPrivate():
		return private
	}
	return true
}

// metadataV6 is the metadata service's other address, a private one.
var metadataV6 = netip.MustParseAddr("fd00:ec2::254")
