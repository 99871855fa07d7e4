package journal

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
)

// nothing stands for a value that one of two texts lacks.
const nothing = "nothing"

// node is a JSON value that remembers the order of its fields.
type node struct {
	scalar string // its text; "" for an object or a list
	keys   []string
	values []node // of an object or a list
	object bool
}

// parseNode reads a JSON value.
func parseNode(text []byte) (node, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	return nextNode(d, 0)
}

// depthMax bounds how deep values may lie in each other: deeper, a text is none
// of ours, and would only use up the stack.
const depthMax = 100

func nextNode(d *json.Decoder, depth int) (node, error) {
	if depth > depthMax {
		return node{}, fmt.Errorf("values lie in each other more than %d deep", depthMax)
	}
	token, err := d.Token()
	if err != nil {
		return node{}, err
	}
	delim, ok := token.(json.Delim)
	if !ok {
		if number, ok := token.(json.Number); ok {
			return node{scalar: number.String()}, nil
		}
		text, err := json.Marshal(token)
		return node{scalar: string(text)}, err
	}
	n := node{object: delim == '{'}
	for d.More() {
		if n.object {
			key, err := d.Token()
			if err != nil {
				return n, err
			}
			n.keys = append(n.keys, key.(string))
		}
		value, err := nextNode(d, depth+1)
		if err != nil {
			return n, err
		}
		n.values = append(n.values, value)
	}
	_, err = d.Token()
	return n, err
}

// text returns the value, shortened to what fits a line.
func (n *node) text() string {
	if n.scalar != "" {
		return n.scalar
	}
	var b bytes.Buffer
	n.write(&b)
	return b.String()
}

func (n *node) write(b *bytes.Buffer) {
	const most = 120
	if b.Len() > most {
		return
	}
	if n.scalar != "" {
		b.WriteString(n.scalar)
		return
	}
	open, end := "[", "]"
	if n.object {
		open, end = "{", "}"
	}
	b.WriteString(open)
	for i := range n.values {
		if i > 0 {
			b.WriteString(",")
		}
		if b.Len() > most {
			b.WriteString("…")
			return
		}
		if n.object {
			b.WriteString(strconv.Quote(n.keys[i]) + ":")
		}
		n.values[i].write(b)
	}
	b.WriteString(end)
}

// difference is where two JSON values differ first, in the order of the first.
type difference struct{ field, recorded, now string }

// firstDifference returns where two JSON texts differ first; ok is false where
// they say the same.
func firstDifference(recorded, now []byte) (at difference, ok bool, err error) {
	a, err := parseNode(recorded)
	if err != nil {
		return at, false, fmt.Errorf("recorded: %w", err)
	}
	b, err := parseNode(now)
	if err != nil {
		return at, false, fmt.Errorf("now: %w", err)
	}
	at, ok = differ(&a, &b, "")
	return at, ok, nil
}

func differ(a, b *node, path string) (difference, bool) {
	if a.scalar != "" || b.scalar != "" || a.object != b.object {
		return difference{path, a.text(), b.text()}, a.text() != b.text()
	}
	name := func(n *node, i int) string {
		switch {
		case !n.object:
			return path + "[" + strconv.Itoa(i) + "]"
		case path == "":
			return n.keys[i]
		}
		return path + "." + n.keys[i]
	}
	for i := range a.values {
		other := b.find(a, i)
		if other == nil {
			return difference{name(a, i), a.values[i].text(), nothing}, true
		}
		if at, ok := differ(&a.values[i], other, name(a, i)); ok {
			return at, true
		}
	}
	for i := range b.values {
		if a.find(b, i) == nil {
			return difference{name(b, i), nothing, b.values[i].text()}, true
		}
	}
	return difference{}, false
}

// find returns the value of n in the place of the i-th of other, or nil.
func (n *node) find(other *node, i int) *node {
	if !n.object {
		if i < len(n.values) {
			return &n.values[i]
		}
		return nil
	}
	for j := range n.keys {
		if n.keys[j] == other.keys[i] {
			return &n.values[j]
		}
	}
	return nil
}
