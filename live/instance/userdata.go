package instance

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"
	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"

	"github.com/skynet-ec2/skynet/policy/spell"
)

// UserData is what an instance is launched with: who its queue is, and where its
// software comes from. Anything on the instance can read it, so no secret is in
// it. A worker's flags and environment have precedence.
type UserData struct {
	Queue       string   `toml:"queue"`        // URL
	Cluster     string   `toml:"cluster"`      // "default" where it is missing
	Roles       []string `toml:"roles"`        // what the instance is for
	Auth        string   `toml:"auth"`         // how it proves who it is: "ec2" (the default), "sts" or "none"
	Audience    string   `toml:"audience"`     // of auth "sts": what the queue wants tokens to be for; "skynet:" and the cluster where it is missing
	Results     string   `toml:"results"`      // where results go: s3://bucket/prefix, or a folder
	Releases    string   `toml:"releases"`     // the release store: s3://bucket/prefix, https://…, or a folder
	Channel     string   `toml:"channel"`      // of the store that the instance follows
	ReleaseKeys []string `toml:"release_keys"` // minisign public keys that releases may be signed with
	Slots       int      `toml:"slots"`        // 0: as many as the type has cores
	AnyRegion   bool     `toml:"any_region"`   // inputs may come from buckets of other regions
}

var userDataKeys = []string{"queue", "cluster", "roles", "auth", "audience", "results", "releases", "channel", "release_keys", "slots", "any_region"}

// The words of auth.
const (
	AuthEC2  = "ec2"  // by the instance's identity document
	AuthSTS  = "sts"  // by a web identity token of STS
	AuthNone = "none" // not at all: it is given a token otherwise
)

var authWays = []string{AuthEC2, AuthSTS, AuthNone}

// slotsMax bounds the jobs that one worker runs at once.
const slotsMax = 1000

// UserData returns the instance's user-data.
func (m *Metadata) UserData(ctx context.Context) (UserData, error) {
	out, err := m.client.GetUserData(ctx, &imds.GetUserDataInput{})
	if err != nil {
		err = explain("user-data", err)
		if errors.Is(err, errNothing) {
			return UserData{}, nil
		}
		return UserData{}, err
	}
	content, err := text("user-data", out.Content)
	if err != nil {
		return UserData{}, err
	}
	return ParseUserData("user-data", []byte(content))
}

// ParseUserData reads user-data: TOML, gzipped or not. Where cloud-init wants
// the first line to say what it is, a comment does no harm: "#!" or
// "#cloud-config" it must not be. Name stands in errors.
func ParseUserData(name string, content []byte) (UserData, error) {
	var d UserData
	if bytes.HasPrefix(content, []byte("\x1f\x8b")) {
		z, err := gzip.NewReader(bytes.NewReader(content))
		if err == nil {
			content, err = io.ReadAll(io.LimitReader(z, metadataMax))
		}
		if err != nil {
			return d, fmt.Errorf("%s: gzip: %w", name, err)
		}
	}
	meta, err := toml.Decode(string(content), &d)
	var syntax toml.ParseError
	if errors.As(err, &syntax) {
		return d, fmt.Errorf("%s:%d: %s", name, syntax.Position.Line, syntax.Message)
	}
	if err != nil {
		return d, fmt.Errorf("%s: %w", name, err)
	}
	var problems []error
	for _, key := range meta.Keys() {
		if k := key.String(); !slices.Contains(userDataKeys, k) {
			problems = append(problems, fmt.Errorf("%s: unknown key %q%s", name, k, spell.DidYouMean(k, userDataKeys)))
		}
	}
	if d.Slots < 0 || d.Slots > slotsMax {
		problems = append(problems, fmt.Errorf("%s: slots = %d: must be from 0 to %d", name, d.Slots, slotsMax))
	}
	if d.Auth != "" && !slices.Contains(authWays, d.Auth) {
		problems = append(problems, fmt.Errorf("%s: auth = %q: must be ec2, sts or none%s", name, d.Auth, spell.DidYouMean(d.Auth, authWays)))
	}
	if d.Audience != "" && d.Auth != AuthSTS {
		problems = append(problems, fmt.Errorf("%s: audience = %q: is of use with auth = \"sts\" alone", name, d.Audience))
	}
	if d.Releases != "" && (d.Channel == "" || len(d.ReleaseKeys) == 0) {
		problems = append(problems, fmt.Errorf("%s: releases = %q: needs channel and release_keys", name, d.Releases))
	}
	if strings.TrimSpace(d.Cluster) == "" {
		d.Cluster = DefaultCluster
	}
	return d, errors.Join(problems...)
}

// DefaultCluster is the cluster of those that name none.
const DefaultCluster = "default"
