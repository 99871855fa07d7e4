package compressed_test

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/skynet-ec2/skynet/traces/compressed"
)

// TestThereAndBack: what a name asks for is what the first bytes tell.
func TestThereAndBack(t *testing.T) {
	text := strings.Repeat("a line of text\n", 10_000)
	for name, kind := range map[string]string{"a.jsonl": "", "a.csv.gz": "gzip", "A.JSONL.ZST": "zstd", "zst": ""} {
		var b bytes.Buffer
		w, err := compressed.NewWriter(&b, name)
		if err != nil {
			t.Fatal(err)
		}
		half := len(text) / 2
		if _, err := io.WriteString(w, text[:half]); err != nil {
			t.Fatal(err)
		}
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
		// what was flushed can be read, whatever comes after it
		if got, err := read(b.Bytes()); got != text[:half] || kind != "" && !compressed.Truncated(err) {
			t.Errorf("%s: after Flush %d bytes can be read, want %d: %v", name, len(got), half, err)
		}
		if _, err := io.WriteString(w, text[half:]); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if kind != "" && b.Len() > len(text)/10 {
			t.Errorf("%s: %d of %d bytes", name, b.Len(), len(text))
		}
		r, err := compressed.NewReader(bytes.NewReader(b.Bytes()))
		if err != nil || r.Kind != kind {
			t.Fatalf("%s: %v, kind %q, want %q", name, err, r.Kind, kind)
		}
		got, err := io.ReadAll(r)
		if err != nil || string(got) != text {
			t.Errorf("%s: %v, %d bytes, want %d", name, err, len(got), len(text))
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}
}

func read(data []byte) (string, error) {
	r, err := compressed.NewReader(bytes.NewReader(data))
	if err != nil {
		return "", err
	}
	defer r.Close()
	text, err := io.ReadAll(r)
	return string(text), err
}

// TestDamage: data that is cut off or garbled is an error that says which.
func TestDamage(t *testing.T) {
	for _, name := range []string{"x.gz", "x.zst"} {
		var b bytes.Buffer
		w, _ := compressed.NewWriter(&b, name)
		for i := range 50_000 {
			if _, err := w.Write([]byte{byte(i * i >> 3)}); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		for _, cut := range []int{5, b.Len() / 2, b.Len() - 3} {
			if _, err := read(b.Bytes()[:cut]); err == nil {
				t.Errorf("%s cut at %d was read", name, cut)
			}
		}
		bad := bytes.Clone(b.Bytes())
		for i := range 40 {
			bad[len(bad)/2+i] ^= 0x5a
		}
		if _, err := read(bad); err == nil {
			t.Errorf("%s garbled was read", name)
		}
	}
	early := &compressed.Error{Kind: "zstd", Err: io.ErrUnexpectedEOF}
	if got := early.Error(); got != "the zstd data ends early: the file is truncated" {
		t.Error(got)
	}
	other := &compressed.Error{Kind: "gzip", Err: errors.New("checksum")}
	if got := other.Error(); got != "the gzip data is damaged: checksum" || compressed.Truncated(other) {
		t.Error(got)
	}
}

// TestFailingReader: an error of the file itself comes through.
func TestFailingReader(t *testing.T) {
	broken := errors.New("disk gone")
	if _, err := compressed.NewReader(io.MultiReader(strings.NewReader("ab"), failing{broken})); !errors.Is(err, broken) {
		t.Error(err)
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }
