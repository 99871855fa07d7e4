// Package webidentity verifies that a worker runs on the instance it says, by a
// web identity token of AWS STS: a JSON Web Token that GetWebIdentityToken gives
// to the role of an instance, signed by the issuer of the account (IAM outbound
// identity federation) and verified here without a call to AWS.
//
// Unlike an instance identity document, a token is made for one audience, lasts
// minutes, and is taken once.
package webidentity

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/skynet-ec2/skynet/live/api"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// Options say which tokens are taken. Issuer, Audience and Accounts must be given.
type Options struct {
	Issuer   string   // of the account: https://….tokens.sts.global.api.aws
	Audience string   // that tokens must be made for, and for no other beside it
	Accounts []string // allowed: 12 digits each
	Regions  []string // allowed; empty: any
	Roles    []string // ARNs of the roles that may ask; empty: any of the accounts
	Keys     string   // URL or file of the issuer's key set; "": the issuer's /.well-known/jwks.json
	Log      *slog.Logger
}

// Verifier checks web identity tokens of one issuer. Make one with New; it is safe
// for concurrent use.
type Verifier struct {
	opt  Options
	keys *keySet

	mu   sync.Mutex
	used map[string]time.Time // ids of tokens that were taken, until these can be taken no more
}

// New returns a verifier. It fails if the options are wrong, or name a file of
// keys that is none; a URL is not asked before the first token comes.
func New(opt Options) (*Verifier, error) {
	if err := checkURL(opt.Issuer); err != nil {
		return nil, fmt.Errorf("issuer %w", err)
	}
	if opt.Audience == "" || len(opt.Accounts) == 0 {
		return nil, errors.New("an audience and an account must be given")
	}
	place := opt.Keys
	if place == "" {
		place = strings.TrimRight(opt.Issuer, "/") + "/.well-known/jwks.json"
	}
	keys, err := openKeys(place, opt.Log)
	if err != nil {
		return nil, fmt.Errorf("keys %w", err)
	}
	return &Verifier{opt: opt, keys: keys, used: map[string]time.Time{}}, nil
}

// algorithms are those that STS signs with. None that needs a secret, or no key
// at all, is among them, whatever a token says of itself.
var algorithms = []jose.SignatureAlgorithm{jose.RS256, jose.ES384}

// Bounds of a token's time.
const (
	skew    = time.Minute // that the clocks of AWS and of the queue may be apart
	lifeMax = time.Hour   // from iat to exp: the longest that STS gives
)

// claims are what we read of a token beside the registered claims. Tags of the
// request and of the principal, which others may choose, stand apart from these.
type claims struct {
	AWS struct {
		Account      string `json:"aws_account"`
		SourceRegion string `json:"source_region"` // where it was asked for
		Principal    string `json:"principal_id"`  // role; not in every token
		Instance     string `json:"ec2_source_instance_arn"`
		RoleDelivery any    `json:"ec2_role_delivery"` // version of the metadata service
	} `json:"https://sts.amazonaws.com/"`
}

// Kind is api.BootstrapSTS.
func (v *Verifier) Kind() string { return api.BootstrapSTS }

// Verify checks the signature, then what the token says, and returns the instance
// whose role asked for it.
func (v *Verifier) Verify(ctx context.Context, r api.BootstrapRequest, now time.Time) (string, error) {
	registered, own, err := v.open(ctx, r.WebIdentityToken, now)
	if err != nil {
		return "", err
	}
	if err := v.checkRegistered(registered, now); err != nil {
		return "", err
	}
	instance, err := v.checkOwn(registered, own)
	if err != nil {
		return "", err
	}
	if r.InstanceID != "" && r.InstanceID != instance {
		return "", fmt.Errorf("instance_id: the token is of instance %s", instance)
	}
	return instance, v.take(registered, now)
}

// open returns the claims of a token that the issuer has signed.
func (v *Verifier) open(ctx context.Context, text string, now time.Time) (registered jwt.Claims, own claims, err error) {
	switch {
	case text == "":
		return registered, own, errors.New("web_identity_token: must be given")
	case len(text) > api.WebIdentityTokenMax:
		return registered, own, fmt.Errorf("web_identity_token: has %d bytes, it may have %d", len(text), api.WebIdentityTokenMax)
	}
	token, err := jwt.ParseSigned(text, algorithms)
	if err != nil {
		return registered, own, errors.New("web_identity_token: not a JSON Web Token signed with RS256 or ES384")
	}
	header := token.Headers[0] // there is one: this form has no room for others
	if header.KeyID == "" {
		return registered, own, errors.New("web_identity_token: names no key (kid)")
	}
	keys, err := v.keys.find(ctx, keyName{header.KeyID, jose.SignatureAlgorithm(header.Algorithm)}, now)
	switch {
	case errors.Is(err, errUnknownKey):
		return registered, own, fmt.Errorf("web_identity_token: the issuer has no key %s for %s", shown(header.KeyID), header.Algorithm)
	case err != nil:
		return registered, own, &api.Error{
			Code: api.CodeUnavailable, RetryAfterMS: keysBetween.Milliseconds(),
			Message: "the queue cannot read the keys of web identity tokens' issuer now; its log says why",
		}
	}
	for _, key := range keys {
		if token.Claims(key, &registered, &own) == nil {
			return registered, own, nil
		}
	}
	return registered, own, errors.New("web_identity_token: not signed by the issuer's key that it names, or its claims are of another shape")
}

// checkRegistered checks the claims that RFC 7519 defines.
func (v *Verifier) checkRegistered(c jwt.Claims, now time.Time) error {
	at := func(d *jwt.NumericDate) string { return d.Time().UTC().Format(time.RFC3339) }
	switch {
	case c.Issuer != v.opt.Issuer:
		return fmt.Errorf("web_identity_token: issuer %s is not the queue's", shown(c.Issuer))
	case len(c.Audience) != 1 || c.Audience[0] != v.opt.Audience:
		// one that is good elsewhere, too, could be brought here from there
		return fmt.Errorf("web_identity_token: is for audience %s, it must be for %q alone", shown(strings.Join(c.Audience, ", ")), v.opt.Audience)
	case c.Expiry == nil || c.IssuedAt == nil || c.ID == "":
		return errors.New("web_identity_token: exp, iat and jti must be given")
	case c.Expiry.Time().Sub(c.IssuedAt.Time()) > lifeMax:
		return fmt.Errorf("web_identity_token: lasts from %s to %s, more than %s", at(c.IssuedAt), at(c.Expiry), lifeMax)
	}
	switch err := c.ValidateWithLeeway(jwt.Expected{Time: now}, skew); {
	case errors.Is(err, jwt.ErrExpired):
		return fmt.Errorf("web_identity_token: expired at %s", at(c.Expiry))
	case errors.Is(err, jwt.ErrNotValidYet):
		return fmt.Errorf("web_identity_token: not valid before %s", at(c.NotBefore))
	case errors.Is(err, jwt.ErrIssuedInTheFuture):
		return fmt.Errorf("web_identity_token: issued at %s, which is to come by the queue's clock", at(c.IssuedAt))
	case err != nil:
		return fmt.Errorf("web_identity_token: %w", err)
	}
	return nil
}

// instanceARN is arn:PARTITION:ec2:REGION:ACCOUNT:instance/ID.
var instanceARN = regexp.MustCompile(`^arn:aws[a-z-]*:ec2:([a-z0-9-]+):([0-9]{12}):instance/(i-[0-9a-z]{1,64})$`)

// checkOwn checks the claims that STS adds, and returns the instance they name.
func (v *Verifier) checkOwn(c jwt.Claims, own claims) (string, error) {
	aws := own.AWS
	if !slices.Contains(v.opt.Accounts, aws.Account) {
		return "", fmt.Errorf("web_identity_token: account %s is not allowed", shown(aws.Account))
	}
	if role := or(aws.Principal, c.Subject); len(v.opt.Roles) > 0 && !slices.Contains(v.opt.Roles, role) {
		return "", fmt.Errorf("web_identity_token: role %s is not allowed", shown(role))
	}
	if aws.Instance == "" {
		return "", errors.New("web_identity_token: names no instance (ec2_source_instance_arn): it was asked for with other credentials than those of an instance's role")
	}
	named := instanceARN.FindStringSubmatch(aws.Instance)
	if named == nil || named[2] != aws.Account {
		return "", fmt.Errorf("web_identity_token: ec2_source_instance_arn %s is no instance of account %s", shown(aws.Instance), aws.Account)
	}
	for _, region := range []string{named[1], or(aws.SourceRegion, named[1])} {
		if len(v.opt.Regions) > 0 && !slices.Contains(v.opt.Regions, region) {
			return "", fmt.Errorf("web_identity_token: region %s is not allowed", shown(region))
		}
	}
	if delivery := aws.RoleDelivery; delivery != nil && strings.HasPrefix(fmt.Sprint(delivery), "1") {
		return "", errors.New("web_identity_token: the role's credentials came from the metadata service's first version, which gives them to whoever can make the instance send a request")
	}
	return named[3], nil
}

// take notes that a token was taken, and refuses one that was.
func (v *Verifier) take(c jwt.Claims, now time.Time) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	for id, until := range v.used {
		if now.After(until) {
			delete(v.used, id)
		}
	}
	if _, taken := v.used[c.ID]; taken {
		return errors.New("web_identity_token: was used before; ask STS for a new one")
	}
	v.used[c.ID] = c.Expiry.Time().Add(skew)
	return nil
}

// shown returns words of a token for a message: quoted, and no longer than a line.
func shown(text string) string {
	const most = 100
	if len(text) > most {
		return fmt.Sprintf("%q…", text[:most])
	}
	return fmt.Sprintf("%q", text)
}

func or(text, other string) string {
	if text != "" {
		return text
	}
	return other
}

// loopback reports whether a host is this machine.
func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
