package tune

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// Memory is what runs have come to: in memory, and, line by line, wherever Keep
// writes. The zero Memory is empty and keeps nothing elsewhere.
type Memory struct {
	known map[string]*Metrics
	// Keep makes one line last; it is called for every new result.
	Keep func(line []byte) error
}

// memoryHead is the first line of a log.
type memoryHead struct {
	Format int `json:"skynet_results"`
	Inputs
}

// memoryLine is one result of a log.
type memoryLine struct {
	Candidate Raw      `json:"candidate"`
	Fold      Fold     `json:"fold"`
	Metrics   *Metrics `json:"metrics"`
}

func memoryKey(c Raw, f *Fold) string { return f.key() + " " + c.Key() }

// of returns the result of a candidate on a fold, nil if it is not known.
func (m *Memory) of(c Raw, f *Fold) *Metrics { return m.known[memoryKey(c, f)] }

// add makes a result known and lasting.
func (m *Memory) add(c Raw, f *Fold, x *Metrics) error {
	if m.known == nil {
		m.known = map[string]*Metrics{}
	}
	m.known[memoryKey(c, f)] = x
	if m.Keep == nil {
		return nil
	}
	line, err := json.Marshal(memoryLine{c, *f, x})
	if err != nil {
		return err
	}
	return m.Keep(append(line, '\n'))
}

// Len returns how many results are known.
func (m *Memory) Len() int { return len(m.known) }

// MemoryHead returns the first line of a log about inputs.
func MemoryHead(in *Inputs) ([]byte, error) {
	line, err := json.Marshal(memoryHead{planFormat, *in})
	return append(line, '\n'), err
}

// lineMax bounds a line of a log.
const lineMax = 1 << 20

// ReadMemory reads a log of results and returns what it knows and how many of
// its bytes are good: a last line that was torn by an interruption is not. A log
// about other inputs, or with a line that makes no sense before its last, is
// refused. An empty log has no good bytes and knows nothing. name is what errors
// call it.
func ReadMemory(r io.Reader, name string, in *Inputs) (m *Memory, good int64, err error) {
	m = &Memory{known: map[string]*Metrics{}}
	b := bufio.NewReaderSize(r, 1<<16)
	for n := 1; ; n++ {
		line, err := readLine(b)
		if errors.Is(err, io.EOF) {
			return m, good, nil // without a newline it was torn
		}
		if err != nil {
			return nil, 0, &InputError{fmt.Sprintf("%s:%d: %v", name, n, err)}
		}
		if n == 1 {
			err = readHead(line, in)
		} else {
			err = m.readLine(line, len(in.Scenarios))
		}
		if err != nil {
			return nil, 0, &InputError{fmt.Sprintf("%s:%d: %v", name, n, err)}
		}
		good += int64(len(line))
	}
}

// readLine returns the next line with its newline.
func readLine(b *bufio.Reader) ([]byte, error) {
	var line []byte
	for {
		piece, err := b.ReadSlice('\n')
		line = append(line, piece...)
		if len(line) > lineMax {
			return nil, fmt.Errorf("a line of more than %d bytes", lineMax)
		}
		if err != bufio.ErrBufferFull {
			return line, err
		}
	}
}

func readHead(line []byte, in *Inputs) error {
	var head memoryHead
	if err := decode(bytes.NewReader(line), &head); err != nil {
		return fmt.Errorf("not a log of results: %w", err)
	}
	if head.Format != planFormat {
		return fmt.Errorf("not a log of results of format %d", planFormat)
	}
	if why := in.Differ(&head.Inputs); why != "" {
		return fmt.Errorf("the log of another tuning: %s", why)
	}
	return nil
}

func (m *Memory) readLine(line []byte, inputs int) error {
	var x memoryLine
	if err := decode(bytes.NewReader(line), &x); err != nil {
		return fmt.Errorf("not a result: %w", err)
	}
	if x.Metrics == nil || x.Candidate == nil || !x.Fold.valid(inputs) {
		return errors.New("not a result of a candidate on a fold")
	}
	m.known[memoryKey(x.Candidate, &x.Fold)] = x.Metrics
	return nil
}
