package access

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/skynet-ec2/skynet/live/api"
)

func writeTokens(t testing.TB, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "tokens")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestFirstFile(t *testing.T) {
	name := filepath.Join(t.TempDir(), "tokens")
	if err := Create(name); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(name)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v; want 0600", info.Mode(), err)
	}
	entries, err := ReadFile(name)
	if err != nil || len(entries) != 4 {
		t.Fatalf("%d tokens, %v", len(entries), err)
	}
	seen := map[string]bool{}
	for i, role := range []api.Role{api.RoleOperator, api.RoleProducer, api.RoleWorker, api.RoleReader} {
		e := entries[i]
		if e.Caller.Role != role || len(e.Plain) < 43 || seen[e.Plain] || !strings.HasPrefix(e.Plain, "sky-"+string(role)+"-") {
			t.Errorf("token %d is %s of role %s", i, e.Plain, e.Caller.Role)
		}
		seen[e.Plain] = true
	}
	if err := Create(name); !errors.Is(err, fs.ErrExist) {
		t.Errorf("a second first file: %v", err)
	}
	n, err := HashFile(name)
	if err != nil || n != 4 {
		t.Fatalf("%d hashed, %v", n, err)
	}
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if strings.Contains(string(text), e.Plain) {
			t.Errorf("the file holds token %s still", e.Caller.ID)
		}
	}
	if !strings.HasPrefix(string(text), "# Tokens") {
		t.Error("the comments are gone")
	}
	hashed, err := ReadFile(name)
	if err != nil || len(hashed) != 4 {
		t.Fatalf("%d tokens, %v", len(hashed), err)
	}
	for i, e := range hashed {
		if e.Plain != "" || e.Hash != entries[i].Hash || e.Caller != entries[i].Caller {
			t.Errorf("token %d became %+v, was %+v", i, e, entries[i])
		}
	}
	if info, err := os.Stat(name); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v; want 0600", info.Mode(), err)
	}
	token, err := AddToFile(name, Caller{Role: api.RoleProducer, Name: "gallery", Tenant: "smith"})
	if err != nil {
		t.Fatal(err)
	}
	all, err := ReadFile(name)
	if err != nil || len(all) != 5 || all[4].Hash != HashOf(token) || all[4].Caller.Tenant != "smith" || all[4].Plain != "" {
		t.Errorf("%v, %+v", err, all)
	}
}

func TestFileMistakes(t *testing.T) {
	const good = "0123456789abcdef0123456789abcdef"
	for line, want := range map[string]string{
		"produser " + good:                         `:2: "produser" is no role; roles are reader, producer, worker, operator (did you mean "producer"?)`,
		"worker":                                   ":2: worker: a token or its hash must follow (sha256:…)",
		"worker name=x":                            ":2: worker: the second word must be a token or its hash (sha256:…)",
		"worker short":                             ":2: worker: the token has 5 bytes, it must have at least 32",
		"worker sha256:abc":                        ":2: a hash is sha256: and 64 hexadecimal digits",
		"worker " + good + " nmae=x":               `:2: unknown attribute "nmae" (did you mean "name"?)`,
		"worker " + good + " name":                 ":2: attributes are written key=value, with a value of 1 to 255 bytes",
		"worker " + good + " tenant=smith":         ":2: tenant: a token of role worker cannot be bound to a tenant, only a producer's or reader's",
		"reader " + good + " instance=i-1":         ":2: instance: a token of role reader cannot be bound to an instance, only a worker's",
		"reader " + good + " expires=tomorrow":     `:2: expires = "tomorrow": must be an instant such as 2027-01-31T00:00:00Z`,
		"reader " + good + "\noperator " + good:    ":3: the token of line 2 again",
		"reader x\nreader y":                       ":2: reader: the token has 1 bytes, it must have at least 32",
		good + good + " and nothing of what it is": `:2: "…" is no role`,
	} {
		name := writeTokens(t, "# tokens\n"+line+"\n")
		_, err := ReadFile(name)
		if err == nil || !strings.HasPrefix(err.Error(), name+want) {
			t.Errorf("%q: %v, want %s%s", line, err, name, want)
		}
		if err != nil && strings.Contains(err.Error(), good) {
			t.Errorf("%q: the error tells the token: %v", line, err)
		}
	}
	if _, err := ReadFile(writeTokens(t, "reader x\nworker y\n")); err == nil || strings.Count(err.Error(), "\n") != 1 {
		t.Errorf("two mistakes: %v", err)
	}
}

func FuzzFile(f *testing.F) {
	f.Add("operator 0123456789abcdef0123456789abcdef name=x\n# comment\n\nworker sha256:" + strings.Repeat("0f", 32) + " instance=i expires=2027-01-31T00:00:00Z")
	f.Fuzz(func(t *testing.T, text string) {
		entries, err := parse("tokens", []byte(text))
		for _, e := range entries {
			if err != nil || !e.Caller.MayCall(api.Roles) || checkBinding(e.Caller) != nil || e.Plain != "" && HashOf(e.Plain) != e.Hash {
				t.Errorf("%+v, %v", e, err)
			}
		}
	})
}
