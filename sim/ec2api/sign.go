package ec2api

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/skynet-ec2/skynet/sim/cloud"
)

// signatureSkew is how far a client's clock may be off.
const signatureSkew = 15 * time.Minute

func unauthorized(code, message string, status int) *cloud.Error {
	return &cloud.Error{Code: code, Message: message, Status: status}
}

// keyOf returns who has an access key, with the secret key. A session token says
// that it is a role's.
func (s *Server) keyOf(access, session string, signed bool) (who caller, secret string, e *cloud.Error) {
	if session == "" {
		secret, known := s.opt.Keys[access]
		if !known {
			return who, "", unauthorized("AuthFailure", "AWS was not able to validate the provided access credentials", 401)
		}
		return caller{access: access}, secret, nil
	}
	k, ok := s.secret.roleKeysOf(session)
	alive := false
	s.With(func(c *cloud.Cloud) {
		in := c.Instance(k.who.instance)
		alive = in != nil && in.State() != cloud.Terminated && roleOf(in) != ""
	})
	switch {
	case !ok || !signed || k.access != access || !alive:
		return who, "", unauthorized("InvalidClientTokenId", "The security token included in the request is invalid.", 403)
	case !s.opt.SignatureClock().Before(k.until):
		return who, "", unauthorized("ExpiredToken", "The security token included in the request is expired", 403)
	}
	return k.who, k.secret, nil
}

// verify checks the request's signature of version 4, and returns who made it.
// body is the request's whole body.
func (s *Server) verify(r *http.Request, body []byte) (caller, *cloud.Error) {
	auth, found := strings.CutPrefix(r.Header.Get("Authorization"), "AWS4-HMAC-SHA256 ")
	if !found {
		return caller{}, unauthorized("MissingAuthenticationToken", "Request is missing Authentication Token", 403)
	}
	fields := map[string]string{}
	for part := range strings.SplitSeq(auth, ",") {
		key, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		fields[key] = value
	}
	scope := strings.Split(fields["Credential"], "/") // key/day/region/service/aws4_request
	signed := strings.Split(fields["SignedHeaders"], ";")
	if len(scope) != 5 || scope[4] != "aws4_request" || fields["Signature"] == "" || !slices.Contains(signed, "host") {
		return caller{}, unauthorized("IncompleteSignature", "The Authorization header is not complete.", 400)
	}
	who, secret, e := s.keyOf(scope[0], r.Header.Get("X-Amz-Security-Token"), slices.Contains(signed, "x-amz-security-token"))
	if e != nil {
		return caller{}, e
	}
	stamp := r.Header.Get("X-Amz-Date")
	at, err := time.Parse("20060102T150405Z", stamp)
	if err != nil || !strings.HasPrefix(stamp, scope[1]) {
		return caller{}, unauthorized("IncompleteSignature", "The X-Amz-Date header is not the date of the signature.", 400)
	}
	if off := s.opt.SignatureClock().Sub(at); off > signatureSkew || off < -signatureSkew {
		return caller{}, unauthorized("RequestExpired", "Request has expired.", 400)
	}
	key := sum([]byte("AWS4"+secret), scope[1])
	for _, part := range scope[2:] {
		key = sum(key, part)
	}
	digest := sha256.Sum256(canonical(r, signed, body))
	text := strings.Join([]string{"AWS4-HMAC-SHA256", stamp, strings.Join(scope[1:], "/"), hex.EncodeToString(digest[:])}, "\n")
	if !hmac.Equal([]byte(hex.EncodeToString(sum(key, text))), []byte(fields["Signature"])) {
		return caller{}, unauthorized("AuthFailure", "AWS was not able to validate the provided access credentials", 401)
	}
	return who, nil
}

func sum(key []byte, text string) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(text))
	return mac.Sum(nil)
}

// canonical returns the request as both sides write it down to sign it.
func canonical(r *http.Request, signed []string, body []byte) []byte {
	path := r.URL.EscapedPath()
	if path == "" {
		path = "/"
	}
	lines := []string{r.Method, path, canonicalQuery(r.URL.Query())}
	for _, name := range signed {
		value := strings.Join(r.Header.Values(name), ",")
		switch name {
		case "host":
			value = r.Host
		case "content-length":
			if value == "" { // the server's side takes it out of the header
				value = itoa(int64(len(body)))
			}
		}
		lines = append(lines, name+":"+strings.Join(strings.Fields(value), " "))
	}
	payload := sha256.Sum256(body)
	hash := hex.EncodeToString(payload[:])
	if given := r.Header.Get("X-Amz-Content-Sha256"); given == "UNSIGNED-PAYLOAD" {
		hash = given
	}
	lines = append(lines, "", strings.Join(signed, ";"), hash)
	return []byte(strings.Join(lines, "\n"))
}

func canonicalQuery(q url.Values) string {
	// Encode sorts by key; a plus is what AWS writes as %20
	return strings.ReplaceAll(q.Encode(), "+", "%20")
}
