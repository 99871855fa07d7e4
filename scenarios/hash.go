package scenarios

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"reflect"
)

// Hash returns what tells this world from every other: the SHA-256 of all its
// values in effect and of the content of every file it refers to. How the file
// is written, where it stands and which policy decides do not matter.
func (s *Scenario) Hash() (string, error) {
	e := s.effective()
	var text bytes.Buffer
	fmt.Fprintf(&text, "%s\nreplaced %t\n", s.Name, s.replaced)
	var files []string
	if e.Trace != nil {
		t := *e.Trace
		path := t.File
		if !s.replaced {
			path = beside(s.Path, t.File)
		}
		files = append(files, path)
		t.File = ""
		e.Trace = &t
	}
	for _, name := range []string{e.Cloud.Catalog, e.Cloud.Boot.File} {
		if path := beside(s.Path, name); name != "" && isFile(path) {
			files = append(files, path)
		}
	}
	for _, name := range sortedKeys(e.Cloud.BootOf) {
		if file := e.Cloud.BootOf[name].File; file != "" {
			files = append(files, beside(s.Path, file))
		}
	}
	if e.Cloud.Spot != nil && e.Cloud.Spot.File != "" {
		files = append(files, beside(s.Path, e.Cloud.Spot.File))
	}
	printer{&text}.table(reflect.ValueOf(&e).Elem(), "")
	h := sha256.New()
	h.Write(text.Bytes())
	for _, path := range files {
		if err := hashFile(h, path); err != nil {
			return "", err
		}
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

// hashFile adds the digest of a file's content.
func hashFile(to io.Writer, path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return err
	}
	_, err = fmt.Fprintf(to, "\x00%x", h.Sum(nil))
	return err
}
