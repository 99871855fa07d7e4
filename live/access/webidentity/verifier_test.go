package webidentity

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/skynet-ec2/skynet/live/api"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

var now = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)

const (
	account  = "111122223333"
	audience = "skynet:test"
	role     = "arn:aws:iam::111122223333:role/skynet-worker"
	instance = "i-0abc123def4567890"
)

// issuer is what an account has: keys, and a place where their public halves are.
type issuer struct {
	*httptest.Server
	asked  atomic.Int64
	mu     sync.Mutex
	keys   []jose.JSONWebKey // private
	answer http.HandlerFunc  // instead of the keys
}

// A test needs no key of its own, only one that nobody else has.
var (
	rsaKey, otherRSA = newRSA(2048), newRSA(2048)
	ecKey, otherEC   = newEC(elliptic.P384()), newEC(elliptic.P384())
)

func newRSA(bits int) *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		panic(err)
	}
	return key
}

func newEC(curve elliptic.Curve) *ecdsa.PrivateKey {
	key, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		panic(err)
	}
	return key
}

func newIssuer(t testing.TB) *issuer {
	i := &issuer{keys: []jose.JSONWebKey{
		{Key: rsaKey, KeyID: "RSA_1", Algorithm: "RS256", Use: "sig"},
		{Key: ecKey, KeyID: "EC384_1", Algorithm: "ES384", Use: "sig"},
	}}
	i.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/.well-known/jwks.json" {
			http.NotFound(w, r)
			return
		}
		i.asked.Add(1)
		i.mu.Lock()
		answer, text := i.answer, i.public()
		i.mu.Unlock()
		if answer != nil {
			answer(w, r)
			return
		}
		w.Write(text)
	}))
	t.Cleanup(i.Close)
	return i
}

// public returns the key set.
func (i *issuer) public() []byte {
	var set jose.JSONWebKeySet
	for _, k := range i.keys {
		set.Keys = append(set.Keys, k.Public())
	}
	text, err := json.Marshal(set)
	if err != nil {
		panic(err)
	}
	return text
}

// has replaces the keys.
func (i *issuer) has(keys ...jose.JSONWebKey) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.keys = keys
}

// answers replaces what is answered instead of the keys; nil: the keys.
func (i *issuer) answers(f http.HandlerFunc) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.answer = f
}

// verifier returns one that trusts the issuer, and its log.
func (i *issuer) verifier(t testing.TB, change ...func(*Options)) (*Verifier, *bytes.Buffer) {
	t.Helper()
	log := &bytes.Buffer{}
	opt := Options{Issuer: i.URL, Audience: audience, Accounts: []string{account}, Regions: []string{"eu-central-1"}, Log: slog.New(slog.NewTextHandler(log, nil))}
	for _, f := range change {
		f(&opt)
	}
	v, err := New(opt)
	if err != nil {
		t.Fatal(err)
	}
	return v, log
}

// content is what a token says.
type content = map[string]any

// aws are the claims that STS adds to a content.
func aws(c content) content { return c["https://sts.amazonaws.com/"].(content) }

var tokens atomic.Int64

// says returns the content of a good token, as STS writes it.
func (i *issuer) says() content {
	id, _ := json.Marshal(tokens.Add(1))
	return content{
		"iss": i.URL, "aud": audience, "sub": role, "iat": now.Unix(), "exp": now.Add(5 * time.Minute).Unix(), "jti": string(id),
		"https://sts.amazonaws.com/": content{
			"aws_account": account, "source_region": "eu-central-1", "org_id": "o-1234567890", "principal_id": role,
			"ec2_source_instance_arn": "arn:aws:ec2:eu-central-1:" + account + ":instance/" + instance,
			"ec2_instance_source_vpc": "vpc-1", "ec2_instance_source_private_ipv4": "10.0.0.7", "ec2_role_delivery": "2.0",
			"principal_tags": content{"team": "photos"}, "original_session_exp": now.Add(time.Hour).Format(time.RFC3339),
		},
	}
}

// signed returns a token of a content.
func signed(t testing.TB, algorithm jose.SignatureAlgorithm, kid string, key any, c content) string {
	t.Helper()
	opt := (&jose.SignerOptions{}).WithType("JWT")
	if kid != "" {
		opt = opt.WithHeader("kid", kid)
	}
	s, err := jose.NewSigner(jose.SigningKey{Algorithm: algorithm, Key: key}, opt)
	if err != nil {
		t.Fatal(err)
	}
	text, err := jwt.Signed(s).Claims(c).Serialize()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// raw returns a token of parts that no library would put together, signed with
// RS256 by a key, or with nothing.
func raw(header string, c any, key *rsa.PrivateKey) string {
	text, err := json.Marshal(c)
	if err != nil {
		panic(err)
	}
	b := base64.RawURLEncoding
	token := b.EncodeToString([]byte(header)) + "." + b.EncodeToString(text)
	if key == nil {
		return token + "."
	}
	digest := sha256.Sum256([]byte(token))
	signature, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, digest[:])
	if err != nil {
		panic(err)
	}
	return token + "." + b.EncodeToString(signature)
}

func request(token string) api.BootstrapRequest {
	return api.BootstrapRequest{Kind: api.BootstrapSTS, Cluster: "test", BootID: "b", WebIdentityToken: token}
}

// TestVerify: what STS signs for us, of an instance of ours, is taken; all else is
// refused, each for its reason.
func TestVerify(t *testing.T) {
	i := newIssuer(t)
	good := func(change func(content)) string {
		c := i.says()
		if change != nil {
			change(c)
		}
		return signed(t, jose.RS256, "RSA_1", rsaKey, c)
	}
	with := func(claim string, value any) string { return good(func(c content) { c[claim] = value }) }
	of := func(claim string, value any) string { return good(func(c content) { aws(c)[claim] = value }) }
	without := func(claim string) string {
		return good(func(c content) { delete(c, claim); delete(aws(c), claim) })
	}
	arn := func(text string) string { return of("ec2_source_instance_arn", text) }
	der, err := x509.MarshalPKIXPublicKey(&rsaKey.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	brought, err := json.Marshal(jose.JSONWebKey{Key: &otherRSA.PublicKey, KeyID: "RSA_1"})
	if err != nil {
		t.Fatal(err)
	}
	genuine := good(nil)
	parts := strings.Split(genuine, ".")
	other := strings.Split(arn("arn:aws:ec2:eu-central-1:"+account+":instance/i-0bad"), ".")
	for _, tt := range []struct {
		name, token string
		want        string // part of the error; "": it is good
	}{
		{"RS256", genuine, ""},
		{"ES384", signed(t, jose.ES384, "EC384_1", ecKey, i.says()), ""},
		{"an audience in a list", with("aud", []string{audience}), ""},
		{"a numeric metadata version", of("ec2_role_delivery", 2), ""},
		{"no principal, as tokens had at first", without("principal_id"), ""},
		{"no region of the request", without("source_region"), ""},
		{"expired within the skew", with("exp", now.Add(-50*time.Second).Unix()), ""},
		{"issued to come within the skew", with("iat", now.Add(50*time.Second).Unix()), ""},
		{"another partition", arn("arn:aws-us-gov:ec2:eu-central-1:" + account + ":instance/" + instance), ""},

		{"no token", "", "must be given"},
		{"garbage", "garbage", "not a JSON Web Token"},
		{"garbage in three parts", "a.b.c", "not a JSON Web Token"},
		{"dots alone", "..", "not a JSON Web Token"},
		{"a huge token", genuine + strings.Repeat("A", api.WebIdentityTokenMax), "it may have 20000"},
		{"five parts: encrypted", strings.Repeat("e30.", 4) + "e30", "not a JSON Web Token"},

		{"no algorithm", raw(`{"alg":"none","kid":"RSA_1"}`, i.says(), nil), "not a JSON Web Token signed"},
		{"no algorithm, in capitals", raw(`{"alg":"NONE","kid":"RSA_1"}`, i.says(), rsaKey), "not a JSON Web Token signed"},
		{"an HMAC with the public key", signed(t, jose.HS256, "RSA_1", der, i.says()), "not a JSON Web Token signed"},
		{"another algorithm of the same key", signed(t, jose.RS512, "RSA_1", rsaKey, i.says()), "not a JSON Web Token signed"},
		{"PSS with the same key", signed(t, jose.PS256, "RSA_1", rsaKey, i.says()), "not a JSON Web Token signed"},
		{"ES384 under the name of the RSA key", signed(t, jose.ES384, "RSA_1", ecKey, i.says()), `no key "RSA_1" for ES384`},
		{"RS256 under the name of the EC key", signed(t, jose.RS256, "EC384_1", rsaKey, i.says()), `no key "EC384_1" for RS256`},
		{"no key's name", signed(t, jose.RS256, "", rsaKey, i.says()), "names no key"},
		{"an unknown key", signed(t, jose.RS256, "RSA_9", rsaKey, i.says()), `no key "RSA_9"`},
		{"a stranger's key under our key's name", signed(t, jose.RS256, "RSA_1", otherRSA, i.says()), "not signed by"},
		{"a stranger's key of the other kind", signed(t, jose.ES384, "EC384_1", otherEC, i.says()), "not signed by"},
		{"a key that the token brings", raw(`{"alg":"RS256","kid":"RSA_1","jwk":`+string(brought)+`}`, i.says(), otherRSA), "not signed by"},
		{"a critical header that nobody knows", raw(`{"alg":"RS256","kid":"RSA_1","crit":["x"],"x":1}`, i.says(), rsaKey), "not signed by"},
		{"a payload that is not encoded", raw(`{"alg":"RS256","kid":"RSA_1","crit":["b64"],"b64":false}`, i.says(), rsaKey), "not"},
		{"another content under a signature", parts[0] + "." + other[1] + "." + parts[2], "not signed by"},
		{"no signature", parts[0] + "." + parts[1] + ".", "not"},
		{"claims of another shape", with("https://sts.amazonaws.com/", "none"), "another shape"},
		{"no object", raw(`{"alg":"RS256","kid":"RSA_1"}`, []string{"x"}, rsaKey), "another shape"},

		{"another issuer", with("iss", "https://other.tokens.sts.global.api.aws"), "issuer"},
		{"no issuer", without("iss"), "issuer"},
		{"another audience", with("aud", "skynet:production"), `it must be for "skynet:test" alone`},
		{"another audience beside ours", with("aud", []string{audience, "https://api.example.com"}), "alone"},
		{"no audience", without("aud"), "alone"},
		{"expired", with("exp", now.Add(-62*time.Second).Unix()), "expired at 2026-06-01T11:58:58Z"},
		{"not valid yet", with("nbf", now.Add(62*time.Second).Unix()), "not valid before"},
		{"issued to come", with("iat", now.Add(62*time.Second).Unix()), "which is to come"},
		{"no end", without("exp"), "exp, iat and jti"},
		{"no beginning", without("iat"), "exp, iat and jti"},
		{"no id", without("jti"), "exp, iat and jti"},
		{"a long life", with("exp", now.Add(time.Hour+time.Second).Unix()), "more than 1h0m0s"},
		{"an endless life", with("exp", 1e18), "web_identity_token"},

		{"another account", good(func(c content) {
			aws(c)["aws_account"], aws(c)["ec2_source_instance_arn"] = "999999999999", "arn:aws:ec2:eu-central-1:999999999999:instance/i-0bad"
		}), `account "999999999999" is not allowed`},
		{"no account", without("aws_account"), `account "" is not allowed`},
		{"an instance of another account", arn("arn:aws:ec2:eu-central-1:999999999999:instance/i-0bad"), "no instance of account"},
		{"no instance", without("ec2_source_instance_arn"), "names no instance"},
		{"an instance among the tags", good(func(c content) {
			delete(aws(c), "ec2_source_instance_arn")
			aws(c)["request_tags"] = content{"ec2_source_instance_arn": "arn:aws:ec2:eu-central-1:" + account + ":instance/i-0bad"}
		}), "names no instance"},
		{"an instance beside STS's claims", good(func(c content) {
			c["ec2_source_instance_arn"] = aws(c)["ec2_source_instance_arn"]
			delete(aws(c), "ec2_source_instance_arn")
		}), "names no instance"},
		{"a function", arn("arn:aws:lambda:eu-central-1:" + account + ":function:f"), "no instance"},
		{"a volume", arn("arn:aws:ec2:eu-central-1:" + account + ":volume/vol-1"), "no instance"},
		{"an instance without an id", arn("arn:aws:ec2:eu-central-1:" + account + ":instance/"), "no instance"},
		{"an instance with more behind it", arn("arn:aws:ec2:eu-central-1:" + account + ":instance/i-1\n"), "no instance"},
		{"another region", arn("arn:aws:ec2:us-east-1:" + account + ":instance/i-1"), `region "us-east-1" is not allowed`},
		{"asked for in another region", of("source_region", "us-east-1"), `region "us-east-1" is not allowed`},
		{"the first version of the metadata service", of("ec2_role_delivery", "1.0"), "first version"},
	} {
		v, _ := i.verifier(t)
		id, err := v.Verify(t.Context(), request(tt.token), now)
		switch {
		case tt.want == "" && (err != nil || id != instance):
			t.Errorf("%s: %q, %v", tt.name, id, err)
		case tt.want != "" && (err == nil || id != "" || !strings.Contains(err.Error(), tt.want)):
			t.Errorf("%s: %q, %v; want %q", tt.name, id, err, tt.want)
		}
		var e *api.Error
		if errors.As(err, &e) {
			t.Errorf("%s: not judged: %v", tt.name, err)
		}
	}
}

// TestVerifyOptions: regions and roles are free where nobody says which.
func TestVerifyOptions(t *testing.T) {
	i := newIssuer(t)
	elsewhere := i.says()
	aws(elsewhere)["ec2_source_instance_arn"] = "arn:aws:ec2:us-east-1:" + account + ":instance/" + instance
	guest := i.says()
	aws(guest)["principal_id"] = "arn:aws:iam::111122223333:role/guest"
	early := i.says() // says its role in sub alone
	delete(aws(early), "principal_id")
	onBehalf := i.says() // sub is who the session acts for
	onBehalf["sub"], aws(onBehalf)["principal_id"] = role, "arn:aws:iam::111122223333:role/guest"
	for _, tt := range []struct {
		name   string
		c      content
		change func(*Options)
		want   string
	}{
		{"any region", elsewhere, func(o *Options) { o.Regions = nil }, ""},
		{"any role", guest, func(*Options) {}, ""},
		{"its role", i.says(), func(o *Options) { o.Roles = []string{"arn:aws:iam::111122223333:role/x", role} }, ""},
		{"its role as subject", early, func(o *Options) { o.Roles = []string{role} }, ""},
		{"another role", guest, func(o *Options) { o.Roles = []string{role} }, `role "arn:aws:iam::111122223333:role/guest" is not allowed`},
		{"another role on behalf of ours", onBehalf, func(o *Options) { o.Roles = []string{role} }, "is not allowed"},
	} {
		v, _ := i.verifier(t, tt.change)
		_, err := v.Verify(t.Context(), request(signed(t, jose.RS256, "RSA_1", rsaKey, tt.c)), now)
		if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("%s: %v; want %q", tt.name, err, tt.want)
		}
	}
}

// TestOnce: a token is taken once, and what is kept of it goes when it could not
// be taken anyway. One that was refused for another reason was not taken.
func TestOnce(t *testing.T) {
	i := newIssuer(t)
	v, _ := i.verifier(t)
	token := signed(t, jose.RS256, "RSA_1", rsaKey, i.says())
	r := request(token)
	r.InstanceID = "i-1"
	if _, err := v.Verify(t.Context(), r, now); err == nil || !strings.Contains(err.Error(), "instance_id: the token is of instance "+instance) {
		t.Errorf("another instance's: %v", err)
	}
	r.InstanceID = instance
	if _, err := v.Verify(t.Context(), r, now); err != nil {
		t.Error(err)
	}
	if _, err := v.Verify(t.Context(), r, now.Add(time.Second)); err == nil || !strings.Contains(err.Error(), "used before") {
		t.Errorf("again: %v", err)
	}
	later := i.says()
	later["iat"], later["exp"] = now.Add(time.Hour).Unix(), now.Add(time.Hour+time.Minute).Unix()
	if _, err := v.Verify(t.Context(), request(signed(t, jose.RS256, "RSA_1", rsaKey, later)), now.Add(time.Hour)); err != nil {
		t.Error(err)
	}
	if len(v.used) != 1 {
		t.Errorf("%d tokens are kept", len(v.used))
	}
	// of many at once, one is taken
	v, _ = i.verifier(t)
	var taken atomic.Int64
	var all sync.WaitGroup
	for range 16 {
		all.Go(func() {
			if _, err := v.Verify(t.Context(), request(token), now); err == nil {
				taken.Add(1)
			}
		})
	}
	all.Wait()
	if taken.Load() != 1 {
		t.Errorf("taken %d times", taken.Load())
	}
}

// try verifies a fresh token that a key signed, at a time.
func (i *issuer) try(t *testing.T, v *Verifier, kid string, key *rsa.PrivateKey, at time.Time) error {
	t.Helper()
	c := i.says()
	c["iat"], c["exp"] = at.Unix(), at.Add(time.Minute).Unix()
	_, err := v.Verify(t.Context(), request(signed(t, jose.RS256, kid, key, c)), at)
	return err
}

func TestRotation(t *testing.T) {
	i := newIssuer(t)
	v, _ := i.verifier(t)
	at := now
	asked := func(want int64) {
		t.Helper()
		if n := i.asked.Load(); n != want {
			t.Errorf("the issuer was asked %d times, want %d", n, want)
		}
	}
	try := func(kid string, key *rsa.PrivateKey, good bool) {
		t.Helper()
		if err := i.try(t, v, kid, key, at); (err == nil) != good {
			t.Errorf("%s: %v", kid, err)
		}
	}
	asked(0) // a start needs no issuer
	try("RSA_1", rsaKey, true)
	try("RSA_1", rsaKey, true)
	asked(1)

	// a key that is new: asked for once in ten seconds
	i.has(jose.JSONWebKey{Key: rsaKey, KeyID: "RSA_1"}, jose.JSONWebKey{Key: otherRSA, KeyID: "RSA_2"})
	at = at.Add(9 * time.Second)
	for range 5 {
		try("RSA_2", otherRSA, false)
	}
	asked(1)
	at = at.Add(time.Second)
	try("RSA_2", otherRSA, true)
	try("RSA_1", rsaKey, true)
	asked(2)

	// a key that was withdrawn is good no longer than an hour
	i.has(jose.JSONWebKey{Key: otherRSA, KeyID: "RSA_2"})
	try("RSA_1", rsaKey, true)
	at = at.Add(time.Hour)
	try("RSA_1", rsaKey, false)
	try("RSA_2", otherRSA, true)
	asked(3)

	// a clock that was set back asks again
	at = at.Add(-2 * time.Hour)
	try("RSA_7", rsaKey, false)
	asked(4)
}

// TestKeysThatCannotBeHad: a worker is told to come again, not that its token is
// bad, and keys of before stay in force for a day.
func TestKeysThatCannotBeHad(t *testing.T) {
	for name, broken := range map[string]http.HandlerFunc{
		"an error":    func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", http.StatusInternalServerError) },
		"not found":   http.NotFound,
		"a redirect":  func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/elsewhere", http.StatusFound) },
		"a page":      func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("<html>")) },
		"no keys":     func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte(`{"keys": []}`)) },
		"a huge page": func(w http.ResponseWriter, _ *http.Request) { w.Write(bytes.Repeat([]byte(" "), 1<<20)) },
		"half an answer": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1000")
			w.Write([]byte(`{"keys": [`))
		},
		"a broken line": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
	} {
		t.Run(name, func(t *testing.T) {
			i := newIssuer(t)
			i.answers(broken)
			v, log := i.verifier(t)
			unavailable := func(at time.Time) {
				t.Helper()
				var e *api.Error
				if err := i.try(t, v, "RSA_1", rsaKey, at); !errors.As(err, &e) || e.Code != api.CodeUnavailable || e.RetryAfterMS != 10_000 {
					t.Errorf("%v", err)
				}
			}
			unavailable(now)
			unavailable(now.Add(9 * time.Second))
			if n := i.asked.Load(); n != 1 {
				t.Errorf("asked %d times", n)
			}
			if !strings.Contains(log.String(), "keys of web identity tokens not read") {
				t.Errorf("the log says %q", log)
			}
			i.answers(nil)
			first := now.Add(10 * time.Second)
			if err := i.try(t, v, "RSA_1", rsaKey, first); err != nil {
				t.Error(err)
			}
			i.answers(broken)
			for _, after := range []time.Duration{time.Minute, 2 * time.Hour, 24*time.Hour - time.Second} {
				if err := i.try(t, v, "RSA_1", rsaKey, first.Add(after)); err != nil {
					t.Errorf("%s later: %v", after, err)
				}
			}
			unavailable(first.Add(24 * time.Hour))
		})
	}
}

// TestSlowIssuer: who hangs up does not keep keys from being read, and whose keys
// are known does not wait for those whose are not.
func TestSlowIssuer(t *testing.T) {
	i := newIssuer(t)
	v, _ := i.verifier(t)
	reading, release := make(chan struct{}), make(chan struct{})
	i.answers(func(w http.ResponseWriter, _ *http.Request) {
		reading <- struct{}{}
		<-release
		w.Write(i.public())
	})
	ctx, hangUp := context.WithCancel(t.Context())
	first := make(chan error, 1)
	go func() {
		_, err := v.Verify(ctx, request(signed(t, jose.RS256, "RSA_1", rsaKey, i.says())), now)
		first <- err
	}()
	<-reading
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	var e *api.Error
	if _, err := v.Verify(gone, request(signed(t, jose.RS256, "RSA_1", rsaKey, i.says())), now); !errors.As(err, &e) {
		t.Errorf("who waits and leaves: %v", err)
	}
	hangUp()
	release <- struct{}{}
	if err := <-first; err != nil {
		t.Errorf("who hung up: %v", err)
	}
	// an hour later the issuer is slow again: one waits for it, the others do not
	later := now.Add(keysFresh)
	go func() { first <- i.try(t, v, "RSA_1", rsaKey, later) }()
	<-reading
	if err := i.try(t, v, "RSA_1", rsaKey, later); err != nil {
		t.Error(err)
	}
	release <- struct{}{}
	if err := <-first; err != nil {
		t.Error(err)
	}
	// an issuer that never answers is given up
	v, _ = i.verifier(t)
	v.keys.read = func(ctx context.Context) ([]byte, error) {
		if end, limited := ctx.Deadline(); !limited || time.Until(end) > keysWithin {
			t.Errorf("it may take until %s", end)
		}
		return nil, context.DeadlineExceeded
	}
	if err := i.try(t, v, "RSA_1", rsaKey, now); !errors.As(err, &e) || e.Code != api.CodeUnavailable {
		t.Errorf("%v", err)
	}
}

// TestKeysOfFile: a file that is replaced is read again; one that is wrong does
// not let the queue start.
func TestKeysOfFile(t *testing.T) {
	i := newIssuer(t)
	name := filepath.Join(t.TempDir(), "jwks.json")
	write := func(text []byte) {
		t.Helper()
		if err := os.WriteFile(name, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	ofFile := func(o *Options) { o.Keys = name }
	write(i.public())
	v, _ := i.verifier(t, ofFile)
	if err := i.try(t, v, "RSA_1", rsaKey, now); err != nil {
		t.Error(err)
	}
	i.has(jose.JSONWebKey{Key: otherRSA, KeyID: "RSA_2"})
	write(i.public())
	if err := i.try(t, v, "RSA_2", otherRSA, now.Add(time.Minute)); err != nil {
		t.Error(err)
	}
	if n := i.asked.Load(); n != 0 {
		t.Errorf("the issuer was asked %d times", n)
	}
	for text, want := range map[string]string{
		"{":                      "not a JSON Web Key Set",
		"[]":                     "not a JSON Web Key Set",
		"{}":                     "without a key",
		strings.Repeat(" ", 1e5): "more than 65536 bytes",
		`{"keys": [` + strings.Repeat("{},", 100) + `{}]}`: "at most 100",
	} {
		write([]byte(text))
		_, err := New(Options{Issuer: i.URL, Audience: audience, Accounts: []string{account}, Keys: name})
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), name) {
			t.Errorf("%.20q: %v; want %q", text, err, want)
		}
	}
}

// TestParseKeys: a key that is weak, secret, or meant for something else is none.
func TestParseKeys(t *testing.T) {
	good := jose.JSONWebKey{Key: &rsaKey.PublicKey, KeyID: "good"}
	for name, k := range map[string]jose.JSONWebKey{
		"a short RSA key":    {Key: &newRSA(1024).PublicKey, KeyID: "k"},
		"a secret":           {Key: []byte("a secret that is long enough for it"), KeyID: "k", Algorithm: "HS256"},
		"a private key":      {Key: otherRSA, KeyID: "k"},
		"another curve":      {Key: &newEC(elliptic.P256()).PublicKey, KeyID: "k"},
		"for encryption":     {Key: &otherRSA.PublicKey, KeyID: "k", Use: "enc"},
		"for another":        {Key: &otherRSA.PublicKey, KeyID: "k", Algorithm: "RS512"},
		"for the other kind": {Key: &otherRSA.PublicKey, KeyID: "k", Algorithm: "ES384"},
		"one without a name": {Key: &otherRSA.PublicKey},
	} {
		text, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{k, good}})
		if err != nil {
			t.Fatal(err)
		}
		keys, err := parseKeys(text)
		if err != nil || len(keys) != 1 || len(keys[keyName{"good", jose.RS256}]) != 1 {
			t.Errorf("%s: %v, %v", name, keys, err)
		}
	}
	keys, err := parseKeys([]byte(`{"keys": [{"kty": "OKP", "crv": "X25519", "kid": "k"}, 7, {"kty": "new"}], "more": 1}`))
	if err == nil {
		t.Errorf("%v", keys)
	}
}

func TestNew(t *testing.T) {
	good := Options{Issuer: "https://0123.tokens.sts.global.api.aws", Audience: audience, Accounts: []string{account}}
	if v, err := New(good); err != nil || v.keys.from != "https://0123.tokens.sts.global.api.aws/.well-known/jwks.json" || v.Kind() != api.BootstrapSTS {
		t.Errorf("%v", err)
	}
	for name, change := range map[string]func(*Options){
		"no issuer":         func(o *Options) { o.Issuer = "" },
		"plain HTTP":        func(o *Options) { o.Issuer = "http://0123.tokens.sts.global.api.aws" },
		"no host":           func(o *Options) { o.Issuer = "https://" },
		"a password":        func(o *Options) { o.Issuer = "https://a:b@0123.tokens.sts.global.api.aws" },
		"a query":           func(o *Options) { o.Issuer = "https://0123.tokens.sts.global.api.aws?x" },
		"no audience":       func(o *Options) { o.Audience = "" },
		"no account":        func(o *Options) { o.Accounts = nil },
		"keys over HTTP":    func(o *Options) { o.Keys = "http://example.com/keys" },
		"keys that are not": func(o *Options) { o.Keys = "no-such-file" },
	} {
		opt := good
		change(&opt)
		if _, err := New(opt); err == nil {
			t.Errorf("%s: it is taken", name)
		}
	}
}

// FuzzVerify: no token that the issuer has not signed is taken, and none makes the
// verifier panic.
func FuzzVerify(f *testing.F) {
	i := newIssuer(f)
	genuine := signed(f, jose.RS256, "RSA_1", rsaKey, i.says())
	f.Add(genuine)
	f.Add(raw(`{"alg":"none"}`, i.says(), nil))
	f.Add(raw(`{"alg":"RS256","kid":"RSA_1","crit":["b64"],"b64":false}`, i.says(), rsaKey))
	f.Add("..")
	f.Fuzz(func(t *testing.T, token string) {
		v, _ := i.verifier(t)
		v.keys.read = func(context.Context) ([]byte, error) { return i.public(), nil }
		if _, err := v.Verify(t.Context(), request(token), now); err == nil && strings.Split(token, ".")[1] != strings.Split(genuine, ".")[1] {
			t.Errorf("%q is taken", token)
		}
	})
}
