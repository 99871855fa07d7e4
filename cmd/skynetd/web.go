package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/skynet-ec2/skynet/cmd/cli"

	"github.com/spf13/pflag"
)

// httpServer returns a server with bounds on what a slow caller may hold. Calls
// that wait set bounds of their own.
func httpServer(h http.Handler, secure *tls.Config, log *slog.Logger) *http.Server {
	s := &http.Server{
		Handler:           h,
		TLSConfig:         secure,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       time.Minute,
		WriteTimeout:      2 * time.Minute,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
		Protocols:         new(http.Protocols),
	}
	s.Protocols.SetHTTP1(true)
	s.Protocols.SetHTTP2(true)
	s.Protocols.SetUnencryptedHTTP2(true)
	return s
}

// listen opens the address that a flag names.
func listen(flag, address string) (net.Listener, error) {
	l, err := net.Listen("tcp", address)
	if err == nil {
		return l, nil
	}
	var wrong *net.AddrError
	if errors.As(err, &wrong) {
		return nil, cli.UsageError(fmt.Errorf("--%s %s: %s: must be HOST:PORT, such as 127.0.0.1:7420", flag, address, wrong.Err))
	}
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, cli.OutsideError(fmt.Errorf("--%s %s: another process listens there: give another port, or 0 for a free one", flag, address))
	}
	return nil, cli.OutsideError(fmt.Errorf("--%s %s: %w", flag, address, err))
}

// tlsFlags say how connections are encrypted.
type tlsFlags struct{ cert, key, clientCA string }

func (t *tlsFlags) add(f *pflag.FlagSet) {
	f.StringVar(&t.cert, "tls-cert", "", "serve TLS with the certificate chain in this PEM `file`; read again when it changes")
	f.StringVar(&t.key, "tls-key", "", "and the private key in this PEM `file`")
	f.StringVar(&t.clientCA, "client-ca", "", "and only to clients whose certificate an authority in this PEM `file` signed (mTLS)")
}

// config returns nil for plain HTTP.
func (t tlsFlags) config() (*tls.Config, error) {
	switch {
	case t.cert == "" && t.key == "" && t.clientCA == "":
		return nil, nil
	case t.cert == "" || t.key == "":
		return nil, cli.UsageError(errors.New("TLS needs both --tls-cert and --tls-key"))
	}
	pair := &keyPair{cert: t.cert, key: t.key}
	if _, err := pair.get(nil); err != nil {
		return nil, cli.InputError(err)
	}
	c := &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: pair.get, NextProtos: []string{"h2", "http/1.1"}}
	if t.clientCA != "" {
		pem, err := os.ReadFile(t.clientCA)
		if err != nil {
			return nil, err
		}
		c.ClientCAs = x509.NewCertPool()
		if !c.ClientCAs.AppendCertsFromPEM(pem) {
			return nil, cli.InputError(fmt.Errorf("--client-ca %s: holds no PEM certificate", t.clientCA))
		}
		c.ClientAuth = tls.RequireAndVerifyClientCert
	}
	return c, nil
}

// keyPair is a certificate and its key, read again when the file changes.
type keyPair struct {
	cert, key string

	mu       sync.Mutex
	modified time.Time
	pair     *tls.Certificate
}

func (k *keyPair) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	info, err := os.Stat(k.cert)
	if err == nil && k.pair != nil && info.ModTime().Equal(k.modified) {
		return k.pair, nil
	}
	if err == nil {
		var pair tls.Certificate
		if pair, err = tls.LoadX509KeyPair(k.cert, k.key); err == nil {
			k.pair, k.modified = &pair, info.ModTime()
			return k.pair, nil
		}
	}
	if k.pair != nil {
		return k.pair, nil // half of it is renewed: the other half comes soon
	}
	return nil, err
}
