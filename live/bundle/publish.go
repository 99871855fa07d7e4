package bundle

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"aead.dev/minisign"
)

// A Release is what is to be published.
type Release struct {
	Number  int64 // 0: the next one of the day, such as 2026113001
	Version string
	Run     []string
	Folders map[string]string // by platform
}

// dayReleases is how many releases a day has numbers for.
const dayReleases = 99

// Publish packs, signs and writes a release. Nobody runs it before a channel
// names it.
func Publish(ctx context.Context, s WritableStore, r Release, key minisign.PrivateKey, now time.Time) (Manifest, error) {
	m := Manifest{
		Kind: manifestKind, Number: r.Number, Version: r.Version, Run: r.Run,
		CreatedAt: now.UTC().Truncate(time.Second), NotAfter: now.UTC().Truncate(time.Second).Add(validFor),
	}
	var err error
	if m.Number == 0 {
		if m.Number, err = nextNumber(ctx, s, now); err != nil {
			return m, err
		}
	}
	temp, err := os.MkdirTemp("", "skynet-release-*")
	if err != nil {
		return m, err
	}
	defer os.RemoveAll(temp)
	var platforms []string
	for p := range r.Folders {
		platforms = append(platforms, p)
	}
	slices.Sort(platforms)
	for _, p := range platforms {
		a, err := packFile(r.Folders[p], p, packedName(temp, p))
		if err != nil {
			return m, err
		}
		if err := runnable(r.Folders[p], r.Run); err != nil {
			return m, err
		}
		m.Archives = append(m.Archives, a)
	}
	if err := m.Check(); err != nil {
		return m, err
	}
	document, err := Sign(m, key)
	if err != nil {
		return m, err
	}
	if _, err := ReadDocument(ctx, s, ManifestName(m.Number)); !errors.Is(err, fs.ErrNotExist) {
		if err == nil {
			err = fmt.Errorf("release %d: it is published already, and a release never changes", m.Number)
		}
		return m, err
	}
	// the manifest last: what has one is complete
	for _, p := range platforms {
		if err := s.Put(ctx, ArchiveName(m.Number, p), packedName(temp, p), true); err != nil {
			return m, err
		}
	}
	return m, WriteDocument(ctx, s, ManifestName(m.Number), document, false)
}

func packedName(dir, platform string) string {
	return filepath.Join(dir, strings.ReplaceAll(platform, "/", "-"))
}

func packFile(dir, platform, path string) (Archive, error) {
	f, err := os.Create(path)
	if err != nil {
		return Archive{}, err
	}
	a, err := Pack(dir, platform, f)
	if e := f.Close(); err == nil {
		err = e
	}
	return a, err
}

// runnable returns an error unless what a release runs is in its folder, and a
// program.
func runnable(dir string, run []string) error {
	if len(run) == 0 || !localPath(run[0]) {
		return fmt.Errorf("run %q: the first word must be a path within the release", run)
	}
	info, err := os.Stat(filepath.Join(dir, filepath.FromSlash(run[0])))
	if err != nil {
		return fmt.Errorf("%s: the release has no %s to run: %w", dir, run[0], err)
	}
	if !info.Mode().IsRegular() || info.Mode()&0o111 == 0 {
		return fmt.Errorf("%s: %s is no program", dir, run[0])
	}
	return nil
}

// nextNumber returns the first number of the day that has no release.
func nextNumber(ctx context.Context, s Store, now time.Time) (int64, error) {
	y, month, d := now.UTC().Date()
	day := (int64(y)*100+int64(month))*100 + int64(d)
	for i := int64(1); i <= dayReleases; i++ {
		_, err := ReadDocument(ctx, s, ManifestName(day*100+i))
		if errors.Is(err, fs.ErrNotExist) {
			return day*100 + i, nil
		}
		if err != nil {
			return 0, err
		}
	}
	return 0, fmt.Errorf("%d releases today: give this one a number", dayReleases)
}

// PublicKey returns the public half of a private key.
func PublicKey(key minisign.PrivateKey) minisign.PublicKey {
	return key.Public().(minisign.PublicKey)
}

// ReadChannel returns a channel of a store, or an empty one where there is none
// yet.
func ReadChannel(ctx context.Context, s Store, keys []minisign.PublicKey, name string, now time.Time) (Channel, error) {
	if err := CheckChannelName(name); err != nil {
		return Channel{}, err
	}
	document, err := ReadDocument(ctx, s, ChannelName(name))
	if errors.Is(err, fs.ErrNotExist) {
		return NewChannel(name), nil
	}
	if err != nil {
		return Channel{}, err
	}
	return OpenChannel(document, keys, name, 0, now)
}

// WriteChannel signs a channel and writes it to a store.
func WriteChannel(ctx context.Context, s WritableStore, c Channel, key minisign.PrivateKey) error {
	if err := c.Check(); err != nil {
		return err
	}
	document, err := Sign(c, key)
	if err != nil {
		return err
	}
	return WriteDocument(ctx, s, ChannelName(c.Name), document, true)
}

// ReadManifest returns the manifest of a release in a store.
func ReadManifest(ctx context.Context, s Store, keys []minisign.PublicKey, number int64) (Manifest, error) {
	document, err := ReadDocument(ctx, s, ManifestName(number))
	if err != nil {
		return Manifest{}, err
	}
	return OpenManifest(document, keys, number)
}
