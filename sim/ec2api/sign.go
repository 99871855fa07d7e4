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

// verify checks the request's signature of version 4, and returns its access
// key. body is the request's whole body.
func (s *Server) verify(r *http.Request, body []byte) (string, *cloud.Error) {
	auth, found := strings.CutPrefix(r.Header.Get("Authorization"), "AWS4-HMAC-SHA256 ")
	if !found {
		return "", unauthorized("MissingAuthenticationToken", "Request is missing Authentication Token", 403)
	}
	fields := map[string]string{}
	for part := range strings.SplitSeq(auth, ",") {
		key, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		fields[key] = value
	}
	scope := strings.Split(fields["Credential"], "/") // key/day/region/service/aws4_request
	signed := strings.Split(fields["SignedHeaders"], ";")
	if len(scope) != 5 || scope[4] != "aws4_request" || fields["Signature"] == "" || !slices.Contains(signed, "host") {
		return "", unauthorized("IncompleteSignature", "The Authorization header is not complete.", 400)
	}
	secret, known := s.opt.Keys[scope[0]]
	if !known {
		return "", unauthorized("AuthFailure", "AWS was not able to validate the provided access credentials", 401)
	}
	stamp := r.Header.Get("X-Amz-Date")
	at, err := time.Parse("20060102T150405Z", stamp)
	if err != nil || !strings.HasPrefix(stamp, scope[1]) {
		return "", unauthorized("IncompleteSignature", "The X-Amz-Date header is not the date of the signature.", 400)
	}
	if off := s.opt.SignatureClock().Sub(at); off > signatureSkew || off < -signatureSkew {
		return "", unauthorized("RequestExpired", "Request has expired.", 400)
	}
	key := sum([]byte("AWS4"+secret), scope[1])
	for _, part := range scope[2:] {
		key = sum(key, part)
	}
	digest := sha256.Sum256(canonical(r, signed, body))
	text := strings.Join([]string{"AWS4-HMAC-SHA256", stamp, strings.Join(scope[1:], "/"), hex.EncodeToString(digest[:])}, "\n")
	if !hmac.Equal([]byte(hex.EncodeToString(sum(key, text))), []byte(fields["Signature"])) {
		return "", unauthorized("AuthFailure", "AWS was not able to validate the provided access credentials", 401)
	}
	return scope[0], nil
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
