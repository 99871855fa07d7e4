package grid

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/skynet-ec2/skynet/traces/whole"
)

// Key tells a cell of a grid from every other. Results of different keys are
// never mixed.
type Key struct {
	// What the cell holds: "trial", "bound", or "attempt" of a tuning.
	Kind string `json:"kind"`
	// Scenario is what tells its world from others; Policy the policy's hash,
	// empty for a bound.
	Scenario string `json:"scenario"`
	Policy   string `json:"policy,omitempty"`
	Seed     uint64 `json:"seed"`
	// Bound is what costs are compared with: a trial holds some of it, an attempt
	// none.
	Bound string `json:"bound"`
	// Version of the program: another one may decide differently.
	Version string `json:"version"`
}

// Store is a folder with one file for each finished cell. A nil *Store keeps
// nothing.
type Store struct {
	Dir string
	// Warn is told of a file that cannot be used, and why. It will be replaced.
	Warn func(file, why string)
}

// cell is a file of the store.
type cell struct {
	Key Key `json:"key"`
	// Sum is the SHA-256 of Data as it stands in the file.
	Sum  string          `json:"sha256"`
	Data json.RawMessage `json:"data"`
}

// path returns the file of a cell.
func (s *Store) path(k Key) (string, error) {
	text, err := json.Marshal(k)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(text)
	return filepath.Join(s.Dir, k.Kind+"-"+hex.EncodeToString(sum[:10])+".json"), nil
}

// load reads the cell of k into data and reports whether there was one. A file
// that is damaged, or another cell's, counts as none.
func (s *Store) load(k Key, data any) (bool, error) {
	if s == nil {
		return false, nil
	}
	path, err := s.path(k)
	if err != nil {
		return false, err
	}
	text, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	case err != nil:
		return false, err
	}
	if why := read(text, k, data); why != "" {
		if s.Warn != nil {
			s.Warn(path, why)
		}
		return false, nil
	}
	return true, nil
}

// read decodes a cell, or says what is wrong with it.
func read(text []byte, k Key, data any) (wrong string) {
	var c cell
	if err := json.Unmarshal(text, &c); err != nil {
		return "not a finished cell: " + err.Error()
	}
	sum := sha256.Sum256(c.Data)
	switch {
	case c.Key != k:
		return "holds another cell"
	case c.Sum != hex.EncodeToString(sum[:]):
		return "was changed since it was written"
	}
	if err := json.Unmarshal(c.Data, data); err != nil {
		return err.Error()
	}
	return ""
}

// save writes the cell of k, whole or not at all.
func (s *Store) save(k Key, data any) error {
	if s == nil {
		return nil
	}
	path, err := s.path(k)
	if err != nil {
		return err
	}
	text, err := json.Marshal(data)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(text)
	if text, err = json.Marshal(cell{k, hex.EncodeToString(sum[:]), text}); err != nil {
		return err
	}
	if err := whole.WriteFile(path, text); err != nil {
		return fmt.Errorf("keep %s: %w", path, err)
	}
	return nil
}
