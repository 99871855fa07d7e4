package main

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/spf13/pflag"

	"github.com/skynet-ec2/skynet/cmd/cli"
	"github.com/skynet-ec2/skynet/live/access"
	"github.com/skynet-ec2/skynet/live/api"
	"github.com/skynet-ec2/skynet/live/client"
	"github.com/skynet-ec2/skynet/live/instance"
)

// The ways in which a worker gets its token.
const (
	authToken  = "token"          // it is given one
	authEC2    = instance.AuthEC2 // for the instance's identity document
	authSTS    = instance.AuthSTS // for a web identity token of STS
	authShared = "shared"         // for knowing a secret
)

var authWays = []string{authToken, authEC2, authSTS, authShared}

// authFlags say how the worker gets its token.
type authFlags struct {
	way      string
	audience string
	secret   string
	tokens   string
}

func (f *authFlags) add(flags *pflag.FlagSet) {
	cli.ChoiceVar(flags, &f.way, "auth", authToken, "get the token this `way`", authWays)
	flags.StringVar(&f.audience, "audience", "", "of --auth sts: what the queue wants web identity tokens to be for, an `audience`; default: user-data's, else "+api.AudienceOf("CLUSTER"))
	flags.StringVar(&f.secret, "secret", "", "of --auth shared: the `file` with the secret")
	flags.StringVar(&f.tokens, "tokens", "skynet-tokens", "without SKYNET_TOKEN, and with a queue on this machine: the queue's token `file`")
}

// authenticator returns what gives the client a token, now and whenever the
// queue takes the old one no more. It is nil where there is only one token.
func (f *authFlags) authenticator(s settings, c *client.Client, bootID string) (func(context.Context) error, error) {
	if token := os.Getenv(client.EnvToken); token != "" {
		c.SetToken(token)
		return nil, nil
	}
	way := f.way
	if way == authToken && s.metadata != nil && s.Auth != instance.AuthNone {
		way = first(s.Auth, authEC2)
	}
	if f.audience != "" && way != authSTS {
		return nil, cli.UsageError(errors.New("--audience: is of use with --auth sts alone"))
	}
	if (way == authEC2 || way == authSTS) && s.metadata == nil {
		return nil, cli.UsageError(fmt.Errorf("--auth %s: needs --ec2", way))
	}
	switch way {
	case authSTS:
		audience := first(f.audience, s.Audience, api.AudienceOf(s.Cluster))
		return f.bootstrap(c, func(ctx context.Context) (api.BootstrapRequest, error) {
			token, err := s.metadata.WebIdentityToken(ctx, s.identity.Region, audience)
			return api.BootstrapRequest{
				Kind: api.BootstrapSTS, Cluster: s.Cluster, BootID: bootID, WebIdentityToken: token,
			}, err
		}), nil
	case authEC2:
		return f.bootstrap(c, func(ctx context.Context) (api.BootstrapRequest, error) {
			i, err := s.metadata.Identity(ctx)
			return api.BootstrapRequest{
				Kind: api.BootstrapEC2, Cluster: s.Cluster, BootID: bootID, Document: i.Document, Signature: i.Signature,
			}, err
		}), nil
	case authShared:
		secret, err := os.ReadFile(f.secret)
		if err != nil {
			return nil, cli.InputError(fmt.Errorf("--secret: %w", err))
		}
		secret = bytes.TrimSpace(secret)
		return f.bootstrap(c, func(context.Context) (api.BootstrapRequest, error) {
			r := api.BootstrapRequest{
				Kind: api.BootstrapShared, Cluster: s.Cluster, BootID: bootID, InstanceID: s.identity.ID, At: time.Now().UTC(),
			}
			r.MAC = hex.EncodeToString(r.SharedMAC(secret))
			return r, nil
		}), nil
	}
	token, err := f.ofFile(s)
	if err != nil {
		return nil, err
	}
	c.SetToken(token)
	return nil, nil
}

// bootstrap returns what exchanges a proof for a token.
func (f *authFlags) bootstrap(c *client.Client, proof func(context.Context) (api.BootstrapRequest, error)) func(context.Context) error {
	return func(ctx context.Context) error {
		r, err := proof(ctx)
		if err != nil {
			return err
		}
		token, err := c.Bootstrap(ctx, r)
		if err != nil {
			return fmt.Errorf("bootstrap: %w", err)
		}
		c.SetToken(token.Token)
		return nil
	}
}

// ofFile returns the worker's token in the file that the queue's first start
// wrote. Only a queue on this machine gets it.
func (f *authFlags) ofFile(s settings) (string, error) {
	if !onLoopback(s.Queue) {
		return "", cli.InputError(errNoToken)
	}
	entries, err := access.ReadFile(f.tokens)
	if errors.Is(err, fs.ErrNotExist) {
		return "", cli.InputError(fmt.Errorf("%w (there is no file %s)", errNoToken, f.tokens))
	}
	if err != nil {
		return "", cli.InputError(err)
	}
	for _, e := range entries {
		if e.Caller.Role == api.RoleWorker && e.Plain != "" {
			return e.Plain, nil
		}
	}
	return "", cli.InputError(fmt.Errorf("%s: no token of a worker, or only its hash", f.tokens))
}
