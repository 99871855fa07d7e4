package ec2fleet

import (
	"bytes"
	"compress/gzip"
	"strings"
	"testing"
)

// User-data carries no secret: a fleet whose user-data looks like one is not
// opened, and the error does not repeat it.
func TestUserDataCarriesNoSecret(t *testing.T) {
	const plain = "queue = \"https://queue.example.org:7420\"\ncluster = \"production\"\nrelease_keys = [\"RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3\"]\n"
	for name, c := range map[string]struct{ add, what string }{
		"nothing":      {"", ""},
		"token":        {"token = \"sky-worker-0123456789abcdefghij0123456789\"", "a token of the queue"},
		"access key":   {"key = AKIAIOSFODNN7EXAMPLE", "an access key of AWS"},
		"secret key":   {"AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI", "a secret key of AWS"},
		"private key":  {"-----BEGIN EC PRIVATE KEY-----", "a private key"},
		"password":     {"store = \"postgres://skynet:hunter2@db/skynet\"", "a password in an address"},
		"port, no one": {"store = \"https://db:5432/a@b\"", ""},
	} {
		t.Run(name, func(t *testing.T) {
			var zipped bytes.Buffer
			z := gzip.NewWriter(&zipped)
			z.Write([]byte(plain + c.add))
			z.Close()
			for _, data := range [][]byte{[]byte(plain + c.add), zipped.Bytes()} {
				l := Launch{Image: "ami-1", UserData: data}
				err := l.check()
				if c.what == "" {
					if err != nil {
						t.Errorf("%v", err)
					}
					continue
				}
				if err == nil || !strings.Contains(err.Error(), "launch.user_data holds "+c.what) || strings.Contains(err.Error(), "hunter2") {
					t.Errorf("%v, want %s", err, c.what)
				}
			}
		})
	}
}
