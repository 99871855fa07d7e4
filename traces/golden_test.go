package traces

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"testing"
	"time"
)

// digest returns the first half of a SHA-256 over every job of src.
func digest(t *testing.T, src Source, err error) string {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	h := sha256.New()
	var b Batch
	var buf []byte
	for {
		err := src.Next(&b)
		if err == io.EOF {
			return hex.EncodeToString(h.Sum(nil))[:32]
		}
		if err != nil {
			t.Fatal(err)
		}
		buf = buf[:0]
		for i, at := range b.Arrival {
			k := b.Kinds[b.Kind[i]]
			buf = binary.LittleEndian.AppendUint64(buf, uint64(at))
			buf = binary.LittleEndian.AppendUint64(buf, uint64(b.Service[i]))
			buf = fmt.Appendf(buf, "%s/%d/%d\n", k.Type, k.Priority, k.Size)
		}
		h.Write(buf)
	}
}

// Generators give the same jobs on every machine and from release to release.
// A digest that changes here changes every generated scenario: its baselines
// must be made anew, and the changelog must say so.
func TestGeneratedJobsNeverChange(t *testing.T) {
	site := DefaultPhotoSite()
	site.Duration = 48 * time.Hour
	site.Rate.EventsPerYear = 8
	site.Rate.Surges = []Surge{{At: time.Hour, For: 90 * time.Second, Factor: 3}}
	site.Batches.Clicks = []Click{{At: 5 * time.Hour, Type: "watermark", Jobs: 1000}}
	src, err := site.Source()
	check := func(name, got, want string) {
		t.Helper()
		if got != want {
			t.Errorf("%s: digest %s, want %s", name, got, want)
		}
	}
	check("photo-site", digest(t, src, err), "6376ce04e38cf17b3d9d6f7a0e9301d4")

	site.Scale = 0.1
	src, err = site.Source()
	if err != nil {
		t.Fatal(err)
	}
	check("amplified", digest(t, Amplify(Scale(src, 0.35), 7, 30*time.Second, 3), nil), "2d102e887ed5e3aba443cc1aa6dcf70c")

	src, err = (&Poisson{Jobs: 100_000, Seed: 5, Classes: []PoissonClass{
		{Type: "a", PerSecond: 3, Service: ServiceTime{Mean: time.Second}},
		{Type: "b", Priority: 1, PerSecond: 1, Service: ServiceTime{Law: LognormalLaw, Mean: time.Second, SCV: 2}},
	}}).Source()
	check("poisson", digest(t, src, err), "4e48cfda4f5d1725bbd77ea60f3d0df3")

	src, err = (&Sinusoid{
		Duration: 1000 * time.Hour, Type: "x", PerHour: 100, Amplitude: 60, Period: 24 * time.Hour,
		Service: ServiceTime{Mean: time.Minute},
	}).Source()
	check("sinusoid", digest(t, src, err), "bc46ffa6a7541bda34b7bea2c3b76615")
}
