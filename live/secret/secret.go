// Package secret reads secrets from where they are kept: the environment, a file,
// or the parameter store of AWS Systems Manager. It alone talks to that store. A
// configuration names the place, never the secret.
package secret

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
)

// Value is a secret. However it is printed, logged or encoded, it shows as dots;
// Reveal gives it. The zero Value is no secret at all.
type Value struct {
	text *string // behind a pointer, which is all that fmt shows of a field it may not ask
}

// Of returns the secret text.
func Of(text string) Value { return Value{&text} }

// Reveal returns the secret itself; "" of the zero Value.
func (v Value) Reveal() string {
	if v.text == nil {
		return ""
	}
	return *v.text
}

// IsZero reports whether there is none.
func (v Value) IsZero() bool { return v.Reveal() == "" }

// hidden is what is shown of a secret.
const hidden = "•••"

// String returns dots.
func (v Value) String() string { return hidden }

// GoString returns dots.
func (v Value) GoString() string { return hidden }

// LogValue returns dots.
func (v Value) LogValue() slog.Value { return slog.StringValue(hidden) }

// MarshalText returns dots.
func (v Value) MarshalText() ([]byte, error) { return []byte(hidden), nil }

// The places of secrets, as a reference begins.
const (
	fromEnv  = "env:"
	fromFile = "file:"
	fromSSM  = "ssm:"
)

// Check returns an error unless ref names a place: env:NAME, file:PATH, or
// ssm:/NAME of a parameter.
func Check(ref string) error {
	for _, place := range []string{fromEnv, fromFile, fromSSM} {
		if name, ok := strings.CutPrefix(ref, place); ok && name != "" {
			return nil
		}
	}
	return errors.New("must be env:NAME, file:PATH or ssm:/NAME: the place of a secret, not the secret") // what was given may be one
}

// textMax bounds a secret, in bytes.
const textMax = 64 << 10

// Load reads the secret that ref names. White space around it is dropped; an empty
// secret is an error. No error holds the secret, nor any text that may be one.
func Load(ctx context.Context, ref string) (Value, error) {
	if err := Check(ref); err != nil {
		return Value{}, err
	}
	place, name, _ := strings.Cut(ref, ":")
	var text string
	var err error
	switch place + ":" {
	case fromEnv:
		var set bool
		if text, set = os.LookupEnv(name); !set {
			err = errors.New("the environment has no such variable")
		}
	case fromFile:
		text, err = ofFile(name)
	case fromSSM:
		text, err = ofStore(ctx, name)
	}
	if err != nil {
		return Value{}, fmt.Errorf("secret %s: %w", ref, err)
	}
	if text = strings.TrimSpace(text); text == "" {
		return Value{}, fmt.Errorf("secret %s: it is empty", ref)
	}
	return Of(text), nil
}

// ofFile reads a file that nobody but its owner and its group can read.
func ofFile(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	if info.Mode().Perm()&0o007 != 0 {
		return "", fmt.Errorf("everybody on this machine may use the file (mode %04o): chmod o= %s", info.Mode().Perm(), path)
	}
	if info.Size() > textMax {
		return "", fmt.Errorf("%d bytes: must be at most %d", info.Size(), textMax)
	}
	text, err := os.ReadFile(path)
	return string(text), err
}

// ofStore reads a parameter, which the store may have to decrypt.
func ofStore(ctx context.Context, name string) (string, error) {
	account, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return "", err
	}
	out, err := ssm.NewFromConfig(account).GetParameter(ctx, &ssm.GetParameterInput{Name: &name, WithDecryption: aws.Bool(true)})
	if err != nil {
		return "", err
	}
	if out.Parameter == nil {
		return "", errors.New("the store answered without a parameter")
	}
	return aws.ToString(out.Parameter.Value), nil
}
