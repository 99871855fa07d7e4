package main

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"regexp"
	"time"

	"github.com/skynet-ec2/skynet/cmd/cli"
	"github.com/skynet-ec2/skynet/live/access"
	"github.com/skynet-ec2/skynet/live/access/webidentity"
	"github.com/skynet-ec2/skynet/live/api"

	"github.com/spf13/pflag"
)

// bootstrapFlags say which instances get a worker token, on what proof.
type bootstrapFlags struct {
	certificates string
	launched     time.Duration
	issuer       string
	keys         string
	audience     string
	workerRoles  []string
	accounts     []string
	regions      []string
	secret       string
	tokenFor     time.Duration
}

func (b *bootstrapFlags) add(f *pflag.FlagSet) {
	f.StringVar(&b.certificates, "bootstrap-ec2", "", "give worker tokens to EC2 instances whose identity document is signed by a certificate in this PEM `file`")
	f.DurationVar(&b.launched, "bootstrap-launched", 0, "with --bootstrap-ec2: launched no `time` longer ago; 0: at any time")
	f.StringVar(&b.issuer, "bootstrap-sts", "", "give worker tokens to EC2 instances that bring a web identity token of STS, of the account whose issuer has this `URL`")
	f.StringVar(&b.audience, "bootstrap-audience", "", "with --bootstrap-sts: made for this `audience` alone; default: "+api.AudienceOf("CLUSTER"))
	f.StringSliceVar(&b.workerRoles, "bootstrap-role", nil, "with --bootstrap-sts: asked for by one of these IAM roles, an `ARN`; default: any of the accounts")
	f.StringVar(&b.keys, "bootstrap-keys", "", "with --bootstrap-sts: signed by a key of the set at this `place`, a URL or a file; default: the issuer's /.well-known/jwks.json")
	f.StringSliceVar(&b.accounts, "bootstrap-account", nil, "with --bootstrap-ec2 or --bootstrap-sts: of these AWS `accounts`")
	f.StringSliceVar(&b.regions, "bootstrap-region", nil, "of these `regions`; default: any")
	f.StringVar(&b.secret, "bootstrap-secret", "", "give worker tokens to whoever knows the secret in this `file` (32 bytes or more)")
	f.DurationVar(&b.tokenFor, "bootstrap-token-for", 12*time.Hour, "such tokens last this `time`")
}

// secretBytesMin is the least length of a shared secret.
const secretBytesMin = 32

// Words of AWS that flags hold.
var (
	accountID = regexp.MustCompile(`^[0-9]{12}$`)
	roleARN   = regexp.MustCompile(`^arn:aws[a-z-]*:iam::[0-9]{12}:role/.+$`)
)

// audienceBytesMax is the longest audience that STS takes.
const audienceBytesMax = 1000

// check returns what is wrong with the flags.
func (b bootstrapFlags) check() error {
	var problems []error
	wrong := func(format string, args ...any) { problems = append(problems, fmt.Errorf(format, args...)) }
	if b.tokenFor < time.Minute {
		wrong("--bootstrap-token-for %s: must be at least 1m", b.tokenFor)
	}
	if b.certificates != "" && len(b.accounts) == 0 {
		wrong("--bootstrap-ec2 needs --bootstrap-account: AWS signs the documents of everybody's instances")
	}
	if b.issuer != "" && len(b.accounts) == 0 {
		wrong("--bootstrap-sts needs --bootstrap-account: whose instances are workers")
	}
	for _, a := range b.accounts {
		if !accountID.MatchString(a) {
			wrong("--bootstrap-account %q: must be the 12 digits of an AWS account", a)
		}
	}
	for _, r := range b.workerRoles {
		if !roleARN.MatchString(r) {
			wrong("--bootstrap-role %q: must be the ARN of a role, such as arn:aws:iam::111122223333:role/skynet-worker", r)
		}
	}
	if len(b.audience) > audienceBytesMax {
		wrong("--bootstrap-audience: has %d bytes, it may have %d", len(b.audience), audienceBytesMax)
	}
	for _, f := range []struct {
		flag  string
		given bool
	}{{"audience", b.audience != ""}, {"role", len(b.workerRoles) > 0}, {"keys", b.keys != ""}} {
		if f.given && b.issuer == "" {
			wrong("--bootstrap-%s: is of use with --bootstrap-sts alone", f.flag)
		}
	}
	return errors.Join(problems...)
}

// verifiers returns what checks the proofs of a cluster's instances.
func (b bootstrapFlags) verifiers(cluster string, log *slog.Logger) ([]access.Verifier, error) {
	var all []access.Verifier
	if err := b.check(); err != nil {
		return nil, cli.UsageError(err)
	}
	if b.certificates != "" {
		certificates, err := access.ReadCertificates(b.certificates)
		if err != nil {
			return nil, err
		}
		all = append(all, access.EC2Verifier{Certificates: certificates, Accounts: b.accounts, Regions: b.regions, LaunchedIn: b.launched})
	}
	if b.issuer != "" {
		audience := b.audience
		if audience == "" {
			audience = api.AudienceOf(cluster)
		}
		v, err := webidentity.New(webidentity.Options{
			Issuer: b.issuer, Audience: audience, Accounts: b.accounts, Regions: b.regions, Roles: b.workerRoles, Keys: b.keys, Log: log,
		})
		if err != nil {
			return nil, cli.InputError(fmt.Errorf("--bootstrap-sts: %w", err))
		}
		all = append(all, v)
	}
	if b.secret != "" {
		secret, err := os.ReadFile(b.secret)
		if err != nil {
			return nil, err
		}
		if secret = bytes.TrimSpace(secret); len(secret) < secretBytesMin {
			return nil, cli.InputError(fmt.Errorf("--bootstrap-secret %s: has %d bytes, it must have at least %d", b.secret, len(secret), secretBytesMin))
		}
		all = append(all, access.SharedVerifier{Secret: secret})
	}
	return all, nil
}
