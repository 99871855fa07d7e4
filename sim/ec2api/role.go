package ec2api

import (
	"encoding/base32"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/skynet-ec2/skynet/sim/cloud"
)

// roleOf returns the name of an instance's role: that of its profile. "": none.
func roleOf(in *cloud.Instance) string {
	return in.Spec.Profile[strings.LastIndex(in.Spec.Profile, "/")+1:]
}

// roleKeys are the credentials of an instance's role, as its metadata service
// gives them. They follow from the world's secret, the instance and their end, so
// that none need be remembered.
type roleKeys struct {
	access, secret, token string
	who                   caller
	until                 time.Time
}

// roleKeysFor is how long such credentials are good, by the clock that signatures
// are made by.
const roleKeysFor = 6 * time.Hour

// roleTokenPrefix keeps tokens of roles apart from those of the metadata service.
const roleTokenPrefix = "role "

func (s secret) roleKeys(id, version string, until time.Time) roleKeys {
	until = until.Truncate(time.Second)
	body := fmt.Sprintf("%s%s %s %d", roleTokenPrefix, id, version, until.Unix())
	k := roleKeys{
		access: "ASIA" + base32.StdEncoding.EncodeToString(sum(s, "access "+body))[:16],
		secret: base64.StdEncoding.EncodeToString(sum(s, "secret "+body))[:40],
		token:  base64.StdEncoding.EncodeToString([]byte(body)),
		until:  until,
	}
	k.who = caller{k.access, id, version}
	return k
}

// roleKeysOf returns the credentials that a session token belongs to; ok is false
// if it is none.
func (s secret) roleKeysOf(token string) (k roleKeys, ok bool) {
	body, err := base64.StdEncoding.DecodeString(token)
	if err != nil {
		return k, false
	}
	words := strings.Split(strings.TrimPrefix(string(body), roleTokenPrefix), " ")
	if len(words) != 3 || !strings.HasPrefix(string(body), roleTokenPrefix) {
		return k, false
	}
	seconds, err := strconv.ParseInt(words[2], 10, 64)
	return s.roleKeys(words[0], words[1], time.Unix(seconds, 0)), err == nil
}

// page returns the credentials as the metadata service writes them.
func (k roleKeys) page() string {
	at := func(t time.Time) string { return t.UTC().Format(time.RFC3339) }
	text, err := json.MarshalIndent(struct {
		Code            string
		LastUpdated     string
		Type            string
		AccessKeyID     string `json:"AccessKeyId"`
		SecretAccessKey string
		Token           string
		Expiration      string
	}{"Success", at(k.until.Add(-roleKeysFor)), "AWS-HMAC", k.access, k.secret, k.token, at(k.until)}, "", "  ")
	if err != nil {
		panic(err) // plain strings
	}
	return string(text)
}

// A caller is who signed a call: a user by his access key, or the role of an
// instance.
type caller struct {
	access   string
	instance string // "": a user
	delivery string // version of the metadata service that gave a role's credentials
}

// arn returns the caller as IAM names it.
func (w caller) arn(c *cloud.Cloud) string {
	if in := c.Instance(w.instance); in != nil {
		return "arn:aws:iam::" + c.Account() + ":role/" + roleOf(in)
	}
	return "arn:aws:iam::" + c.Account() + ":user/" + w.access
}

// sessionARN returns the caller as GetCallerIdentity names it.
func (w caller) sessionARN(c *cloud.Cloud) string {
	if in := c.Instance(w.instance); in != nil {
		return fmt.Sprintf("arn:aws:sts::%s:assumed-role/%s/%s", c.Account(), roleOf(in), in.ID)
	}
	return w.arn(c)
}
