package results

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
)

// An Outbox is the folder on the worker's disk where finished results wait
// until the store has them and the queue knows. It outlives the worker: a new
// one finds what the old one left. It is safe for use by several goroutines.
type Outbox struct {
	dir string
	max int64

	mu   sync.Mutex
	used int64
	held map[Key]int64
}

// An Entry is one finished job.
type Entry struct {
	Key    Key             `json:"key"`
	Files  []File          `json:"files"`
	PutTo  string          `json:"put_to,omitempty"` // the address signed for this result, if any
	Report json.RawMessage `json:"report"`           // what the worker will tell the queue; opaque here
	BootID string          `json:"boot_id"`          // of the worker that the job was leased to
}

// Why Add does not keep an entry.
var (
	ErrFull     = errors.New("the outbox is full")                       // with what waits there: later there may be room
	ErrTooLarge = errors.New("it is more than the outbox may ever hold") // alone
)

// entryFile is the file that makes a folder an entry. It is written last. No
// file of a result may be called so.
const entryFile = ".entry.json"

// OpenOutbox opens the outbox in dir, which holds at most max bytes. What was
// left half made there is removed, and what is complete returned, oldest key
// first.
func OpenOutbox(dir string, max int64) (*Outbox, []Entry, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, nil, fmt.Errorf("outbox: %w", err)
	}
	o := &Outbox{dir: dir, max: max, held: map[Key]int64{}}
	folders, err := os.ReadDir(dir)
	if err != nil {
		return nil, nil, fmt.Errorf("outbox: %w", err)
	}
	var left []Entry
	for _, folder := range folders {
		entry, err := readEntry(filepath.Join(dir, folder.Name()))
		if err != nil || name(entry.Key) != folder.Name() {
			// of a worker that died before the entry was whole: the job runs again
			if err := os.RemoveAll(filepath.Join(dir, folder.Name())); err != nil {
				return nil, nil, fmt.Errorf("outbox: %w", err)
			}
			continue
		}
		o.hold(entry)
		left = append(left, entry)
	}
	slices.SortFunc(left, func(a, b Entry) int { return strings.Compare(name(a.Key), name(b.Key)) })
	return o, left, nil
}

func readEntry(dir string) (Entry, error) {
	text, err := os.ReadFile(filepath.Join(dir, entryFile))
	if err != nil {
		return Entry{}, err
	}
	var e Entry
	if err := json.Unmarshal(text, &e); err != nil {
		return Entry{}, err
	}
	if err := check(e.Key, e.Files); err != nil {
		return Entry{}, err
	}
	for _, f := range e.Files {
		info, err := os.Lstat(filepath.Join(dir, f.Name))
		if err != nil {
			return Entry{}, err
		}
		if !info.Mode().IsRegular() || info.Size() != f.Size {
			return Entry{}, fmt.Errorf("%s: it is not the file of %d bytes that was kept", f.Name, f.Size)
		}
		// a loss of power leaves files of the right length that hold nothing
		if there, err := Describe(filepath.Join(dir, f.Name), f.ContentType); err != nil || there.SHA256 != f.SHA256 {
			return Entry{}, errors.Join(fmt.Errorf("%s: its content is not what was kept", f.Name), err)
		}
	}
	return e, nil
}

// name returns the name of an entry's folder. A dot is in no part of a key.
func name(k Key) string { return k.Job + "." + k.Token }

// size returns the bytes of an entry's files.
func (e Entry) size() (size int64) {
	for _, f := range e.Files {
		size += f.Size
	}
	return size
}

// hold counts an entry.
func (o *Outbox) hold(e Entry) {
	o.held[e.Key] = e.size()
	o.used += o.held[e.Key]
}

// Begin makes the folder in which the files of k are to be made, empty.
func (o *Outbox) Begin(k Key) (dir string, err error) {
	if err := k.Check(); err != nil {
		return "", err
	}
	dir = o.Dir(k)
	if err := os.RemoveAll(dir); err != nil {
		return "", fmt.Errorf("outbox: %w", err)
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		return "", fmt.Errorf("outbox: %w", err)
	}
	return dir, nil
}

// Dir returns the folder of k's files.
func (o *Outbox) Dir(k Key) string { return filepath.Join(o.dir, name(k)) }

// Add keeps the entry whose files stand in the folder that Begin made. Other
// files there are removed. Where it would be too much the error is ErrFull or
// ErrTooLarge, and nothing is kept.
func (o *Outbox) Add(e Entry) error {
	if err := check(e.Key, e.Files); err != nil {
		return err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.hold(e)
	err := o.write(e)
	switch size := e.size(); {
	case size > o.max:
		err = fmt.Errorf("a result of %d bytes: %w, %d", size, ErrTooLarge, o.max)
	case o.used > o.max:
		err = fmt.Errorf("result of job %s: %w: %d bytes with it, may be %d", e.Key.Job, ErrFull, o.used, o.max)
	}
	if err != nil {
		return errors.Join(err, o.drop(e.Key))
	}
	return nil
}

func (o *Outbox) write(e Entry) error {
	dir := o.Dir(e.Key)
	there, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("outbox: %w", err)
	}
	for _, file := range there {
		if !slices.ContainsFunc(e.Files, func(f File) bool { return f.Name == file.Name() }) {
			if err := os.RemoveAll(filepath.Join(dir, file.Name())); err != nil {
				return fmt.Errorf("outbox: %w", err)
			}
		}
	}
	text, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("outbox: %w", err)
	}
	// The renaming keeps a half-written entry from being found by the next
	// worker. It need not outlast a loss of power: then the job runs again.
	temp := filepath.Join(dir, entryFile+".part")
	if err := os.WriteFile(temp, text, 0o600); err != nil {
		return fmt.Errorf("outbox: %w", err)
	}
	if err := os.Rename(temp, filepath.Join(dir, entryFile)); err != nil {
		return fmt.Errorf("outbox: %w", err)
	}
	return nil
}

// Drop removes what is kept of k, if anything.
func (o *Outbox) Drop(k Key) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.drop(k)
}

func (o *Outbox) drop(k Key) error {
	o.used -= o.held[k]
	delete(o.held, k)
	if err := os.RemoveAll(o.Dir(k)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("outbox: %w", err)
	}
	return nil
}

// Used returns the bytes that are kept, and how many may be.
func (o *Outbox) Used() (used, max int64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.used, o.max
}
