package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"aead.dev/minisign"
)

// Where a build without a terminal finds its key, and the key its password.
const (
	keyVariable      = "MINISIGN_KEY"
	passwordVariable = "MINISIGN_PASSWORD"
)

// signing says how a release is signed.
type signing struct {
	file     string // of the secret key; "": its text stands in keyVariable
	unsigned bool   // not at all
}

// key returns the secret key, nil for an unsigned release. No key and no word
// that there shall be none is an error: a release is not unsigned by accident.
func (s signing) key() (*minisign.PrivateKey, error) {
	if s.unsigned {
		return nil, nil
	}
	text, from := []byte(os.Getenv(keyVariable)), keyVariable
	if s.file != "" {
		var err error
		if text, err = os.ReadFile(s.file); err != nil {
			return nil, usage("%w", err)
		}
		from = s.file
	}
	if len(text) == 0 {
		return nil, usage("there is no key to sign with: give one by KEY=FILE or %s, or say UNSIGNED=1", keyVariable)
	}
	var key minisign.PrivateKey
	var err error
	if minisign.IsEncrypted(text) {
		if os.Getenv(passwordVariable) == "" {
			return nil, usage("%s: the key has a password: put it into %s", from, passwordVariable)
		}
		key, err = minisign.DecryptKey(os.Getenv(passwordVariable), text)
	} else {
		err = key.UnmarshalText(text)
	}
	if err != nil {
		return nil, usage("%s: no minisign secret key, or not its password: %w", from, err)
	}
	return &key, nil
}

func signatureFile(folder string) string { return filepath.Join(folder, sumsFile+".minisig") }

// signSums signs the sums of folder.
func signSums(folder string, key minisign.PrivateKey, c commit) error {
	text, err := os.ReadFile(filepath.Join(folder, sumsFile))
	if err != nil {
		return err
	}
	trusted := fmt.Sprintf("skynet %s, commit %s", c.version, c.hash)
	signature := minisign.SignWithComments(key, text, trusted, "signature of "+sumsFile)
	return os.WriteFile(signatureFile(folder), signature, 0o644)
}

// verifySums checks the signature of listed and returns what the signer says of
// it.
func verifySums(folder, pub string, listed []byte) (comment string, err error) {
	key, err := minisign.PublicKeyFromFile(pub)
	if err != nil {
		return "", usage("%s: no minisign public key: %w", pub, err)
	}
	text, err := os.ReadFile(signatureFile(folder))
	if errors.Is(err, os.ErrNotExist) {
		return "", fmt.Errorf("%s: it is not signed", folder)
	} else if err != nil {
		return "", err
	}
	var signature minisign.Signature
	if err := signature.UnmarshalText(text); err != nil {
		return "", fmt.Errorf("%s: no minisign signature: %w", signatureFile(folder), err)
	}
	if signature.KeyID != key.ID() {
		return "", fmt.Errorf("%s: signed by key %X, not by %X", folder, signature.KeyID, key.ID())
	}
	if !minisign.Verify(key, listed, text) {
		return "", fmt.Errorf("%s: %s is not what was signed", folder, sumsFile)
	}
	return signature.TrustedComment, nil
}

// newKey writes a new secret key to file, readable by its owner alone and locked
// by the password in passwordVariable if there is one, and its public key to
// file.pub.
func newKey(file string, stdout io.Writer) error {
	public, secret, err := minisign.GenerateKey(rand.Reader)
	if err != nil {
		return err
	}
	text, err := secret.MarshalText()
	if password := os.Getenv(passwordVariable); err == nil && password != "" {
		text, err = minisign.EncryptKey(password, secret)
	}
	if err != nil {
		return err
	}
	pub, err := public.MarshalText()
	if err != nil {
		return err
	}
	for _, out := range []struct {
		name string
		text []byte
		mode os.FileMode
	}{{file, text, 0o600}, {file + ".pub", pub, 0o644}} {
		f, err := os.OpenFile(out.name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, out.mode)
		if err != nil {
			return usage("%w", err)
		}
		_, err = f.Write(append(out.text, '\n'))
		if e := f.Close(); err == nil {
			err = e
		}
		if err != nil {
			return err
		}
	}
	fmt.Fprintf(stdout, "key %X: %s is secret, keep it out of every repository; %s.pub is for everybody\n", public.ID(), file, file)
	return nil
}
