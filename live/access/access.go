// Package access decides who may call the queue: bearer tokens with roles, kept
// as hashes, read from a file and made at run time; and worker tokens minted for
// an instance that proves who it is.
//
// A token is 32 random bytes, so a plain SHA-256 of it is safe to keep: there is
// nothing to guess. Tokens are found by their hash; what is compared is compared
// in constant time. No error and no log line of this package holds a token.
package access

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"strings"
	"time"

	"github.com/skynet-ec2/skynet/live/api"
)

// A Caller is who makes a call: what its token says. The zero Caller has no role
// and may nothing.
type Caller struct {
	ID         string // of the token
	Role       api.Role
	Name       string
	Tenant     string // "": any
	InstanceID string // "": any
	ExpiresAt  time.Time
}

// MayCall reports whether the caller's role is one of roles.
func (c Caller) MayCall(roles []api.Role) bool {
	for _, r := range roles {
		if c.Role == r && r != "" {
			return true
		}
	}
	return false
}

// Hash is the SHA-256 of a token.
type Hash [sha256.Size]byte

// HashOf returns the hash of a token.
func HashOf(token string) Hash { return sha256.Sum256([]byte(token)) }

// String returns the hash as a token file writes it.
func (h Hash) String() string { return hashPrefix + hex.EncodeToString(h[:]) }

const hashPrefix = "sha256:"

// ID returns a name for the token that has this hash: enough of it to be unique,
// too little to be of use.
func (h Hash) ID() string { return hex.EncodeToString(h[:6]) }

// equal compares two hashes in constant time.
func (h Hash) equal(o Hash) bool { return subtle.ConstantTimeCompare(h[:], o[:]) == 1 }

// NewToken returns a random token of a role, such as "sky-operator-…". The
// prefix tells people what they found, and tools that search for leaked secrets
// what to look for.
func NewToken(role api.Role) string {
	secret := make([]byte, 32)
	rand.Read(secret) // never fails: crypto/rand ends the program if it cannot
	return tokenPrefix + string(role) + "-" + base64.RawURLEncoding.EncodeToString(secret)
}

const tokenPrefix = "sky-"

// Bearer returns the token in the value of an Authorization header, or "".
func Bearer(header string) string {
	scheme, token, ok := strings.Cut(strings.TrimSpace(header), " ")
	if !ok || !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}
