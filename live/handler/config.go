package handler

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/BurntSushi/toml"
	"github.com/dustin/go-humanize"

	"github.com/skynet-ec2/skynet/policy/spell"
)

// builtins are the kinds of work that need no program, by name.
var builtins = map[string]kind{"resize": resize{}, "rotate": rotate{}, "watermark": watermark{}}

// builtinNames are their names, in the order in which messages list them.
var builtinNames = []string{"resize", "rotate", "watermark"}

// Defaults returns the set where no file says otherwise: the job types resize,
// rotate and watermark and, where anyProgram allows it, exec, whose jobs bring
// the command that runs.
func Defaults(anyProgram bool) *Set {
	s := &Set{kinds: map[string]kind{}}
	for name, k := range builtins {
		s.kinds[name] = k
	}
	if anyProgram {
		s.kinds["exec"] = &program{limits: limits{time: programTime, output: programOutput}}
	}
	return s
}

// Types returns the job types that s has handlers for, sorted.
func (s *Set) Types() []string {
	var types []string
	for t := range s.kinds {
		types = append(types, t)
	}
	slices.Sort(types)
	return types
}

// entry is one [[handler]] of a file. See docs/worker.md.
type entry struct {
	Type      string   `toml:"type"`
	Builtin   string   `toml:"builtin"`
	Command   []string `toml:"command"`
	TimeMax   string   `toml:"time_max"`
	MemoryMax string   `toml:"memory_max"`
	OutputMax string   `toml:"output_max"`
}

// entryKeys are the keys of an entry.
var entryKeys = []string{"type", "builtin", "command", "time_max", "memory_max", "output_max"}

// Load reads a file of handlers. They are all there are: nothing is added to
// them. A command without a slash is looked up in PATH; one that begins with ./
// lies beside the file.
func Load(path string) (*Set, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return parse(path, string(text))
}

func parse(path, text string) (*Set, error) {
	var file struct {
		Handler []entry `toml:"handler"`
	}
	meta, err := toml.Decode(text, &file)
	var syntax toml.ParseError
	if errors.As(err, &syntax) {
		return nil, badInput{fmt.Errorf("%s:%d: %s", path, syntax.Position.Line, syntax.Message)}
	}
	if err != nil {
		return nil, badInput{fmt.Errorf("%s: %w", path, err)}
	}
	var problems []error
	seen := map[string]int{}
	for _, key := range meta.Keys() { // the decoder takes Type for type; people would not agree on which
		i := seen["handler"] - 1
		switch {
		case key.String() == "handler":
			seen["handler"]++
		case len(key) == 1:
			problems = append(problems, fmt.Errorf("%s:%d: unknown key %q: a file has [[handler]] tables only", path, lineOf(text, -1, key[0]), key[0]))
		case key[0] == "handler" && !slices.Contains(entryKeys, key[1]):
			problems = append(problems, fmt.Errorf("%s:%d: unknown key %q%s", path, lineOf(text, i, key[1]), key[1], spell.DidYouMean(key[1], entryKeys)))
		}
	}
	s := &Set{kinds: map[string]kind{}}
	for i, e := range file.Handler {
		k, key, err := e.kind(filepath.Dir(path))
		if err == nil && s.kinds[e.Type] != nil {
			key, err = "type", fmt.Errorf("type = %q: it has a handler above", e.Type)
		}
		if err != nil {
			problems = append(problems, fmt.Errorf("%s:%d: %w", path, lineOf(text, i, key), err))
			continue
		}
		s.kinds[e.Type] = k
	}
	if len(file.Handler) == 0 && len(problems) == 0 {
		problems = append(problems, fmt.Errorf("%s: no [[handler]]: a worker without handlers does nothing", path))
	}
	if len(problems) > 0 {
		return nil, badInput{errors.Join(problems...)}
	}
	return s, nil
}

// badInput is an error that the user's file is to blame for.
type badInput struct{ error }

func (e badInput) BadInput() bool { return true }
func (e badInput) Unwrap() error  { return e.error }

// kind returns what e asks for, or the key that is wrong and why.
func (e entry) kind(dir string) (k kind, key string, err error) {
	switch {
	case e.Type == "" || len(e.Type) > 255:
		return nil, "type", fmt.Errorf("type = %q: must be 1 to 255 bytes", e.Type)
	case (e.Builtin == "") == (e.Command == nil):
		return nil, "type", fmt.Errorf("handler for %q: must have either builtin or command", e.Type)
	case e.Builtin != "" && builtins[e.Builtin] == nil:
		return nil, "builtin", fmt.Errorf("builtin = %q: must be %s%s", e.Builtin, strings.Join(builtinNames, ", "), spell.DidYouMean(e.Builtin, builtinNames))
	case e.Builtin != "" && (e.TimeMax != "" || e.MemoryMax != "" || e.OutputMax != ""):
		return nil, "builtin", fmt.Errorf("builtin = %q: time_max, memory_max and output_max are limits of a command", e.Builtin)
	case e.Builtin != "":
		return builtins[e.Builtin], "", nil
	case len(e.Command) == 0 || e.Command[0] == "":
		return nil, "command", errors.New("command = []: must name a program")
	}
	p := &program{command: slices.Clone(e.Command), limits: limits{time: programTime, output: programOutput}}
	if strings.HasPrefix(p.command[0], "./") {
		if p.command[0], err = filepath.Abs(filepath.Join(dir, p.command[0])); err != nil {
			return nil, "command", err
		}
	}
	if e.TimeMax != "" {
		if p.limits.time, err = time.ParseDuration(e.TimeMax); err != nil || p.limits.time <= 0 || p.limits.time > 24*time.Hour {
			return nil, "time_max", fmt.Errorf("time_max = %q: must be a duration above 0, such as \"90s\", of at most 24h", e.TimeMax)
		}
	}
	for _, size := range []struct {
		key, text string
		least     int64
		to        *int64
	}{{"memory_max", e.MemoryMax, 1 << 20, &p.limits.memory}, {"output_max", e.OutputMax, 1, &p.limits.output}} {
		if size.text == "" {
			continue
		}
		n, err := humanize.ParseBytes(size.text)
		if err != nil || n > math.MaxInt64/4 || int64(n) < size.least {
			return nil, size.key, fmt.Errorf("%s = %q: must be a size such as \"512MiB\", of at least %s", size.key, size.text, humanize.IBytes(uint64(size.least)))
		}
		*size.to = int64(n)
	}
	return p, "", nil
}

// lineOf returns the line on which a key of the i-th table stands, or that of
// the table, or 1. Table -1 is what stands before the first.
func lineOf(text string, table int, key string) int {
	at, found := -1, 1
	for i, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "[[") {
			if at++; at == table {
				found = i + 1
			}
		}
		name, _, assigned := strings.Cut(line, "=")
		if at == table && assigned && strings.Trim(strings.TrimSpace(name), `"'`) == key {
			return i + 1
		}
	}
	return found
}
