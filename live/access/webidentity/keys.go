package webidentity

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// How keys are read.
const (
	keysFresh   = time.Hour        // keys older than this are read again before the next use
	keysGood    = 24 * time.Hour   // keys older than this are used no more, even if nobody answers: one may have been withdrawn
	keysBetween = 10 * time.Second // from one attempt to the next, whoever wants it
	keysWithin  = 5 * time.Second  // an attempt takes no longer
	keysBytes   = 64 << 10         // and reads no more; AWS's two keys have 1 KB
	keysMax     = 100              // of a set
)

// Bounds of an RSA key, in bits. Checking a signature takes time that grows with
// the square of it.
const (
	rsaBitsMin = 2048
	rsaBitsMax = 8192
)

// keySet holds the public keys of an issuer (a JSON Web Key Set, RFC 7517) and
// reads them again when they are an hour old, and when a token names one that is
// not among them: issuers rotate their keys. Attempts are ten seconds apart at
// least, so that tokens with made-up key ids cost the issuer nothing. A set that
// cannot be read leaves the one before in force for a day. Make one with
// openKeys; it is safe for concurrent use.
type keySet struct {
	from string
	read func(context.Context) ([]byte, error)
	log  *slog.Logger
	turn chan struct{} // holds a value while somebody reads

	mu      sync.Mutex
	keys    map[keyName][]any
	readAt  time.Time // zero: never
	triedAt time.Time // zero: never
	err     error     // of the last attempt
}

// keyName is how a token names its key.
type keyName struct {
	id        string
	algorithm jose.SignatureAlgorithm
}

// openKeys returns the keys at a place: a URL (https, or http on loopback) that is
// asked when a key is needed for the first time, or a file, which must be a key set
// already.
func openKeys(place string, log *slog.Logger) (*keySet, error) {
	s := &keySet{from: place, log: log, turn: make(chan struct{}, 1)}
	if strings.Contains(place, "://") {
		if err := checkURL(place); err != nil {
			return nil, err
		}
		s.read = func(ctx context.Context) ([]byte, error) { return fetch(ctx, place) }
		return s, nil
	}
	s.read = func(context.Context) ([]byte, error) { return readFile(place) }
	text, err := readFile(place)
	if err != nil {
		return nil, err
	}
	if _, err := parseKeys(text); err != nil {
		return nil, fmt.Errorf("%s: %w", place, err)
	}
	return s, nil
}

// checkURL returns an error unless keys and tokens may be trusted that come from
// a URL.
func checkURL(text string) error {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.Scheme != "https" && !(u.Scheme == "http" && loopback(u.Hostname())) {
		return fmt.Errorf("%q: must be a URL such as https://0123.tokens.sts.global.api.aws; plain http is for this machine alone", text)
	}
	return nil
}

// client reads key sets. It follows no redirection: who can make an issuer send
// one must not choose the keys.
var client = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}

func fetch(ctx context.Context, place string) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, place, nil)
	if err != nil {
		return nil, err
	}
	r.Header.Set("Accept", "application/json")
	answer, err := client.Do(r)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("answered %s", answer.Status)
	}
	return limited(answer.Body)
}

func readFile(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := limited(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return text, nil
}

func limited(r io.Reader) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(r, keysBytes+1))
	if err == nil && len(text) > keysBytes {
		err = fmt.Errorf("more than %d bytes", keysBytes)
	}
	return text, err
}

// parseKeys returns the keys of a set that a token of ours may be signed with:
// RSA and P-384, public, named, and for signatures. Others are left out, for an
// issuer may have more. A set without any is an error.
func parseKeys(text []byte) (map[keyName][]any, error) {
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(text, &set); err != nil {
		return nil, fmt.Errorf("not a JSON Web Key Set: %w", err)
	}
	if len(set.Keys) > keysMax {
		return nil, fmt.Errorf("a key set of %d keys: must have at most %d", len(set.Keys), keysMax)
	}
	keys := map[keyName][]any{}
	for _, raw := range set.Keys {
		var k jose.JSONWebKey
		if k.UnmarshalJSON(raw) != nil {
			continue
		}
		algorithm := algorithmOf(k.Key)
		if algorithm == "" || !k.Valid() || k.KeyID == "" || k.Use != "" && k.Use != "sig" || k.Algorithm != "" && k.Algorithm != string(algorithm) {
			continue
		}
		name := keyName{k.KeyID, algorithm}
		keys[name] = append(keys[name], k.Key)
	}
	if len(keys) == 0 {
		return nil, errors.New("a key set without a key for signatures of RS256 or ES384")
	}
	return keys, nil
}

// algorithmOf returns the one algorithm that a public key is good for here; "":
// none.
func algorithmOf(key any) jose.SignatureAlgorithm {
	switch k := key.(type) {
	case *rsa.PublicKey:
		if bits := k.N.BitLen(); bits >= rsaBitsMin && bits <= rsaBitsMax {
			return jose.RS256
		}
	case *ecdsa.PublicKey:
		if k.Curve == elliptic.P384() {
			return jose.ES384
		}
	}
	return ""
}

// errUnknownKey is what find returns where the issuer has no such key.
var errUnknownKey = errors.New("unknown key")

// find returns the keys of a name, usually one. It returns errUnknownKey where the
// issuer's set is known and has none, and another error where it is not known.
func (s *keySet) find(ctx context.Context, name keyName, now time.Time) ([]any, error) {
	keys, fresh := s.known(name, now)
	switch {
	case len(keys) > 0 && fresh:
		return keys, nil
	case len(keys) > 0:
		select {
		case s.turn <- struct{}{}:
		default: // somebody reads already, and these are good meanwhile
			return keys, nil
		}
	default:
		select {
		case s.turn <- struct{}{}:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	defer func() { <-s.turn }()
	if keys, fresh = s.known(name, now); len(keys) > 0 && fresh {
		return keys, nil
	}
	s.again(ctx, now)
	if keys, _ = s.known(name, now); len(keys) > 0 {
		return keys, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return nil, s.err
	}
	return nil, errUnknownKey
}

// known returns the keys of a name that are good at now, and whether they need
// not be read again.
func (s *keySet) known(name keyName, now time.Time) (keys []any, fresh bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if now.Sub(s.readAt) >= keysGood && !s.readAt.IsZero() {
		return nil, false
	}
	return s.keys[name], now.Sub(s.readAt) < keysFresh
}

// again reads the keys, unless that was tried just now. Its caller's going away
// does not end it: who sends tokens and hangs up would keep the keys from being
// read.
func (s *keySet) again(ctx context.Context, now time.Time) {
	s.mu.Lock()
	since := now.Sub(s.triedAt)
	tooSoon := !s.triedAt.IsZero() && since >= 0 && since < keysBetween
	s.mu.Unlock()
	if tooSoon {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), keysWithin)
	defer cancel()
	text, err := s.read(ctx)
	var keys map[keyName][]any
	if err == nil {
		keys, err = parseKeys(text)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.triedAt, s.err = now, err
	if err != nil {
		s.log.Warn("keys of web identity tokens not read", "from", s.from, "err", err, "last_read", s.readAt)
		return
	}
	s.keys, s.readAt = keys, now
}
