package ec2fleet

import (
	"bytes"
	"compress/gzip"
	"io"
	"regexp"
)

// secrets are what user-data must not hold, since every process on an instance can
// read it, and whoever may describe instances.
var secrets = []struct {
	what string
	like *regexp.Regexp
}{
	{"a token of the queue", regexp.MustCompile(`sky-(operator|producer|worker|reader)-[A-Za-z0-9_-]{20,}`)},
	{"an access key of AWS", regexp.MustCompile(`\b(AKIA|ASIA)[0-9A-Z]{16}\b`)},
	{"a secret key of AWS", regexp.MustCompile(`(?i)aws_?secret_?access_?key\s*[=:]`)},
	{"a private key", regexp.MustCompile(`-----BEGIN [A-Z ]*PRIVATE KEY-----|minisign encrypted secret key`)},
	{"a password in an address", regexp.MustCompile(`[a-z][a-z0-9+.-]*://[^\s/:@"']+:[^\s/@"']+@`)},
}

// secretIn returns what of user-data, gzipped or not, looks like a secret; "":
// nothing does.
func secretIn(data []byte) string {
	if bytes.HasPrefix(data, []byte("\x1f\x8b")) {
		if z, err := gzip.NewReader(bytes.NewReader(data)); err == nil {
			if plain, err := io.ReadAll(io.LimitReader(z, 1<<20)); err == nil {
				data = plain
			}
		}
	}
	for _, s := range secrets {
		if s.like.Match(data) {
			return s.what
		}
	}
	return ""
}
