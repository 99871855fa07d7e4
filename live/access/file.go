package access

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/skynet-ec2/skynet/live/api"
	"github.com/skynet-ec2/skynet/policy/spell"
	"github.com/skynet-ec2/skynet/traces/whole"
)

// An Entry is one line of a token file.
type Entry struct {
	Hash   Hash
	Plain  string // the token itself, if the file holds it and not its hash
	Caller Caller
}

// A FileError says what is wrong with a token file, and never what a token is.
type FileError struct {
	File   string
	Line   int
	Reason string
}

func (e *FileError) Error() string { return fmt.Sprintf("%s:%d: %s", e.File, e.Line, e.Reason) }

// BadInput reports that the file is at fault.
func (e *FileError) BadInput() bool { return true }

// fileBytesMax bounds a token file: tens of thousands of tokens.
const fileBytesMax = 8 << 20

// ReadFile reads a token file. Each line holds a role, a token or its hash, and
// what else there is to say of it:
//
//	operator sky-operator-…
//	producer sha256:9f86d0… name=gallery tenant=smith
//	worker   sha256:2c26b4… instance=i-0abc expires=2027-01-31T00:00:00Z
//
// Empty lines and lines that begin with # say nothing. All problems are
// reported at once.
func ReadFile(name string) ([]Entry, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, fileBytesMax+1))
	if err != nil {
		return nil, err
	}
	if len(text) > fileBytesMax {
		return nil, &FileError{name, 1, fmt.Sprintf("the file is larger than %d bytes", fileBytesMax)}
	}
	return parse(name, text)
}

func parse(name string, text []byte) ([]Entry, error) {
	var entries []Entry
	var problems []error
	lineOf := map[Hash]int{}
	lines := bufio.NewScanner(bytes.NewReader(text))
	lines.Buffer(nil, fileBytesMax+1)
	for n := 1; lines.Scan(); n++ {
		words := strings.Fields(lines.Text())
		if len(words) == 0 || strings.HasPrefix(words[0], "#") {
			continue
		}
		entry, err := parseLine(words)
		if err == nil {
			if first := lineOf[entry.Hash]; first > 0 {
				err = fmt.Errorf("the token of line %d again", first)
			} else {
				lineOf[entry.Hash] = n
			}
		}
		if err != nil {
			problems = append(problems, &FileError{name, n, err.Error()})
			continue
		}
		entries = append(entries, entry)
	}
	problems = append(problems, lines.Err())
	if err := errors.Join(problems...); err != nil {
		return nil, err
	}
	return entries, nil
}

// tokenBytesMin is the least length of a token in a file: 16 random bytes in hex.
const tokenBytesMin = 32

func parseLine(words []string) (Entry, error) {
	var e Entry
	role, err := parseRole(words[0])
	if err != nil {
		return e, err
	}
	e.Caller.Role = role
	if len(words) < 2 {
		return e, fmt.Errorf("%s: a token or its hash must follow (%s…)", role, hashPrefix)
	}
	switch secret := words[1]; {
	case strings.HasPrefix(secret, hashPrefix):
		if e.Hash, err = parseHash(secret); err != nil {
			return e, err
		}
	case strings.Contains(secret, "="):
		return e, fmt.Errorf("%s: the second word must be a token or its hash (%s…)", role, hashPrefix)
	case len(secret) < tokenBytesMin:
		return e, fmt.Errorf("%s: the token has %d bytes, it must have at least %d", role, len(secret), tokenBytesMin)
	default:
		e.Plain, e.Hash = secret, HashOf(secret)
	}
	e.Caller.ID = e.Hash.ID()
	return e, parseAttributes(&e.Caller, words[2:])
}

func parseRole(word string) (api.Role, error) {
	var known []string
	for _, r := range api.Roles {
		if word == string(r) {
			return r, nil
		}
		known = append(known, string(r))
	}
	if len(word) >= tokenBytesMin {
		word = "…" // it may be a token that lost its role
	}
	return "", fmt.Errorf("%q is no role; roles are %s%s", word, strings.Join(known, ", "), spell.DidYouMean(word, known))
}

func parseHash(word string) (h Hash, err error) {
	var b []byte
	if _, err = fmt.Sscanf(word, hashPrefix+"%x", &b); err != nil || len(b) != len(h) || len(word) != len(hashPrefix)+2*len(h) {
		return h, fmt.Errorf("a hash is %s and %d hexadecimal digits", hashPrefix, 2*len(h))
	}
	copy(h[:], b)
	return h, nil
}

var attributes = []string{"name", "tenant", "instance", "expires"}

func parseAttributes(c *Caller, words []string) error {
	for _, word := range words {
		key, value, ok := strings.Cut(word, "=")
		switch {
		case !ok || value == "" || len(value) > api.NameMax:
			return fmt.Errorf("attributes are written key=value, with a value of 1 to %d bytes", api.NameMax)
		case key == "name":
			c.Name = value
		case key == "tenant":
			c.Tenant = value
		case key == "instance":
			c.InstanceID = value
		case key == "expires":
			at, err := time.Parse(time.RFC3339, value)
			if err != nil {
				return fmt.Errorf("expires = %q: must be an instant such as 2027-01-31T00:00:00Z", value)
			}
			c.ExpiresAt = at
		default:
			return fmt.Errorf("unknown attribute %q%s", key, spell.DidYouMean(key, attributes))
		}
	}
	return checkBinding(*c)
}

// checkBinding reports a token that is bound to something its role has no use for.
func checkBinding(c Caller) error {
	if c.Tenant != "" && c.Role != api.RoleProducer && c.Role != api.RoleReader {
		return fmt.Errorf("tenant: a token of role %s cannot be bound to a tenant, only a producer's or reader's", c.Role)
	}
	if c.InstanceID != "" && c.Role != api.RoleWorker {
		return fmt.Errorf("instance: a token of role %s cannot be bound to an instance, only a worker's", c.Role)
	}
	return nil
}

// fileHead explains a token file to whoever opens it.
const fileHead = `# Tokens of a SkyNet queue: ROLE TOKEN [name=…] [tenant=…] [instance=…] [expires=…]
# Clients send one as "Authorization: Bearer TOKEN", or read it from SKYNET_TOKEN.
# In place of a token its hash may stand: "skynetd tokens hash --tokens FILE" does
# that to all of them, once they are handed out. Changes count within seconds.
`

// Create writes a new token file with one random token of each role, for the
// owner's eyes only (mode 0600). It fails if the file is there.
func Create(name string) error {
	if _, err := os.Lstat(name); err == nil {
		return &fs.PathError{Op: "create", Path: name, Err: fs.ErrExist}
	}
	var b strings.Builder
	b.WriteString(fileHead)
	for _, role := range []api.Role{api.RoleOperator, api.RoleProducer, api.RoleWorker, api.RoleReader} {
		fmt.Fprintf(&b, "%-8s %s name=first\n", role, NewToken(role))
	}
	return writeFile(name, b.String())
}

// HashFile replaces the tokens in a token file by their hashes, and returns how
// many it replaced. Comments stay.
func HashFile(name string) (int, error) {
	entries, err := ReadFile(name)
	if err != nil {
		return 0, err
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return 0, err
	}
	replaced := 0
	for _, e := range entries {
		if e.Plain != "" {
			text = bytes.ReplaceAll(text, []byte(e.Plain), []byte(e.Hash.String()))
			replaced++
		}
	}
	if replaced == 0 {
		return 0, nil
	}
	return replaced, writeFile(name, string(text))
}

// AddToFile makes a token as c describes, appends its hash to the token file and
// returns the token: the only time it can be seen.
func AddToFile(name string, c Caller) (string, error) {
	if err := checkBinding(c); err != nil {
		return "", err
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return "", err
	}
	token := NewToken(c.Role)
	line := fmt.Sprintf("%-8s %s", c.Role, HashOf(token))
	for i, value := range []string{c.Name, c.Tenant, c.InstanceID} {
		if value != "" {
			line += " " + attributes[i] + "=" + value
		}
	}
	if !c.ExpiresAt.IsZero() {
		line += " expires=" + c.ExpiresAt.UTC().Format(time.RFC3339)
	}
	if len(text) > 0 && text[len(text)-1] != '\n' {
		text = append(text, '\n')
	}
	text = append(text, line+"\n"...)
	if _, err := parse(name, text); err != nil {
		return "", err
	}
	return token, writeFile(name, string(text))
}

// writeFile puts a private file in its place, whole or not at all.
func writeFile(name, text string) error {
	f, err := whole.CreatePrivate(name)
	if err != nil {
		return err
	}
	if _, err := io.WriteString(f, text); err != nil {
		f.Abort()
		return err
	}
	return f.Commit()
}
