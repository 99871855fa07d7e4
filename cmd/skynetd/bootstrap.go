package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/skynet-ec2/skynet/cmd/cli"
	"github.com/skynet-ec2/skynet/live/access"

	"github.com/spf13/pflag"
)

// bootstrapFlags say which instances get a worker token, on what proof.
type bootstrapFlags struct {
	certificates string
	accounts     []string
	regions      []string
	launched     time.Duration
	secret       string
	tokenFor     time.Duration
}

func (b *bootstrapFlags) add(f *pflag.FlagSet) {
	f.StringVar(&b.certificates, "bootstrap-ec2", "", "give worker tokens to EC2 instances whose identity document is signed by a certificate in this PEM `file`")
	f.StringSliceVar(&b.accounts, "bootstrap-account", nil, "of these AWS `accounts`")
	f.StringSliceVar(&b.regions, "bootstrap-region", nil, "of these `regions`; default: any")
	f.DurationVar(&b.launched, "bootstrap-launched", 0, "launched no `time` longer ago; 0: at any time")
	f.StringVar(&b.secret, "bootstrap-secret", "", "give worker tokens to whoever knows the secret in this `file` (32 bytes or more)")
	f.DurationVar(&b.tokenFor, "bootstrap-token-for", 12*time.Hour, "such tokens last this `time`")
}

// secretBytesMin is the least length of a shared secret.
const secretBytesMin = 32

func (b bootstrapFlags) verifiers() ([]access.Verifier, error) {
	var all []access.Verifier
	if b.tokenFor < time.Minute {
		return nil, cli.UsageError(fmt.Errorf("--bootstrap-token-for %s: must be at least 1m", b.tokenFor))
	}
	if b.certificates != "" {
		if len(b.accounts) == 0 {
			return nil, cli.UsageError(errors.New("--bootstrap-ec2 needs --bootstrap-account: AWS signs the documents of everybody's instances"))
		}
		certificates, err := access.ReadCertificates(b.certificates)
		if err != nil {
			return nil, err
		}
		all = append(all, access.EC2Verifier{Certificates: certificates, Accounts: b.accounts, Regions: b.regions, LaunchedIn: b.launched})
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
