package bundle

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"aead.dev/minisign"
)

// signatureStart begins a minisign signature.
const signatureStart = "\nuntrusted comment:"

// Sign returns v as a signed document.
func Sign(v any, key minisign.PrivateKey) ([]byte, error) {
	text, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return nil, err
	}
	text = append(text, '\n')
	return append(text, minisign.Sign(key, text)...), nil
}

// ErrSignature is returned where no key that is trusted signed a document.
var ErrSignature = errors.New("signature: not by a key that is trusted here")

// open reads a signed document into v once one of keys is found to have signed
// it. Nothing of it is looked at before.
func open(document []byte, keys []minisign.PublicKey, v any) error {
	if len(document) > documentMax {
		return fmt.Errorf("signed document: %d bytes: may be %d", len(document), documentMax)
	}
	at := bytes.LastIndex(document, []byte(signatureStart))
	if at < 0 {
		return fmt.Errorf("%w: there is none", ErrSignature)
	}
	text, signature := document[:at+1], document[at+1:]
	for _, key := range keys {
		if minisign.Verify(key, text, signature) {
			return json.Unmarshal(text, v)
		}
	}
	return ErrSignature
}

// ParseKeys reads public keys as minisign writes them: the line that begins
// with RW.
func ParseKeys(texts []string) ([]minisign.PublicKey, error) {
	var keys []minisign.PublicKey
	for _, text := range texts {
		var key minisign.PublicKey
		if err := key.UnmarshalText([]byte(text)); err != nil {
			return nil, fmt.Errorf("release key %q: not a minisign public key: %w", text, err)
		}
		keys = append(keys, key)
	}
	return keys, nil
}

// ReadPrivateKey reads a private key as minisign writes it. Password may be ""
// for a key that has none.
func ReadPrivateKey(path, password string) (minisign.PrivateKey, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return minisign.PrivateKey{}, err
	}
	var key minisign.PrivateKey
	if minisign.IsEncrypted(text) {
		if password == "" {
			return key, fmt.Errorf("%s: the key has a password: give it in SKYNET_RELEASE_PASSWORD", path)
		}
		key, err = minisign.DecryptKey(password, text)
	} else {
		err = key.UnmarshalText(text)
	}
	if err != nil {
		return key, fmt.Errorf("%s: not a minisign private key, or another password: %w", path, err)
	}
	return key, nil
}
