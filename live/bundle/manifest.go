package bundle

import (
	"encoding/hex"
	"errors"
	"fmt"
	"path"
	"regexp"
	"runtime"
	"strings"
	"time"

	"aead.dev/minisign"
)

// manifestKind tells a manifest from a channel that the same key signed.
const manifestKind = "skynet release 1"

// A Manifest says what a release is.
type Manifest struct {
	Kind      string    `json:"kind"`
	Number    int64     `json:"number"`  // of the release, from 1; a later one has a larger number
	Version   string    `json:"version"` // for people
	CreatedAt time.Time `json:"created_at"`
	NotAfter  time.Time `json:"not_after"` // nobody installs it later
	Run       []string  `json:"run"`       // what to start; the first word is a path within the release
	Archives  []Archive `json:"archives"`
}

// An Archive is the files of a release for one platform.
type Archive struct {
	Platform string `json:"platform"` // such as "linux/amd64"; "any"
	Size     int64  `json:"size"`     // bytes, packed
	SHA256   string `json:"sha256"`   // of the packed file, hexadecimal
	Files    int    `json:"files"`    // files and folders
	Unpacked int64  `json:"unpacked"` // bytes of all files
}

// AnyPlatform is the platform of an archive that runs everywhere.
const AnyPlatform = "any"

// ThisPlatform is what the running program was built for.
const ThisPlatform = runtime.GOOS + "/" + runtime.GOARCH

var (
	platformName = regexp.MustCompile(`^(any|[a-z0-9]{1,16}/[a-z0-9]{1,16})$`)
	versionName  = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._+-]{0,63}$`)
)

// Check returns everything that is wrong with m.
func (m Manifest) Check() error {
	var problems []error
	wrong := func(format string, args ...any) { problems = append(problems, fmt.Errorf(format, args...)) }
	if m.Kind != manifestKind {
		wrong("kind %q: must be %q", m.Kind, manifestKind)
	}
	if m.Number < 1 || m.Number > NumberMax {
		wrong("number %d: must be from 1 to %d", m.Number, int64(NumberMax))
	}
	if !versionName.MatchString(m.Version) {
		wrong("version %q: must be 1 to 64 of A-Z a-z 0-9 . _ + -", m.Version)
	}
	if len(m.Run) == 0 || !localPath(m.Run[0]) {
		wrong("run %q: the first word must be a path within the release", m.Run)
	}
	if !m.NotAfter.After(m.CreatedAt) {
		wrong("not_after %s: must be after created_at", m.NotAfter.Format(time.RFC3339))
	}
	if len(m.Archives) == 0 {
		wrong("archives: there must be one")
	}
	seen := map[string]bool{}
	for _, a := range m.Archives {
		if err := a.check(); err != nil {
			problems = append(problems, err)
		}
		if seen[a.Platform] {
			wrong("archive %s: it is there twice", a.Platform)
		}
		seen[a.Platform] = true
	}
	return errors.Join(problems...)
}

func (a Archive) check() error {
	sum, err := hex.DecodeString(a.SHA256)
	switch {
	case !platformName.MatchString(a.Platform):
		return fmt.Errorf("archive %q: a platform is such as linux/amd64, or any", a.Platform)
	case err != nil || len(sum) != 32:
		return fmt.Errorf("archive %s: sha256 %q: must be 64 hexadecimal digits", a.Platform, a.SHA256)
	case a.Size < 1 || a.Size > archiveMax:
		return fmt.Errorf("archive %s: size %d: must be from 1 to %d", a.Platform, a.Size, int64(archiveMax))
	case a.Files < 1 || a.Files > filesMax:
		return fmt.Errorf("archive %s: files %d: must be from 1 to %d", a.Platform, a.Files, filesMax)
	case a.Unpacked < 0 || a.Unpacked > unpackedMax:
		return fmt.Errorf("archive %s: unpacked %d: must be from 0 to %d", a.Platform, a.Unpacked, int64(unpackedMax))
	}
	return nil
}

// localPath reports whether a path with slashes stays within where it starts.
func localPath(p string) bool {
	return p != "" && p != "." && path.Clean(p) == p && !path.IsAbs(p) && p != ".." &&
		!strings.HasPrefix(p, "../") && !strings.ContainsAny(p, "\\\x00:")
}

// For returns the archive for a platform.
func (m Manifest) For(platform string) (Archive, error) {
	have := []string{}
	for _, want := range []string{platform, AnyPlatform} {
		for _, a := range m.Archives {
			if a.Platform == want {
				return a, nil
			}
		}
	}
	for _, a := range m.Archives {
		have = append(have, a.Platform)
	}
	return Archive{}, fmt.Errorf("release %d has no archive for %s, only for %s", m.Number, platform, strings.Join(have, ", "))
}

// OpenManifest returns the manifest of a release in a signed document.
func OpenManifest(document []byte, keys []minisign.PublicKey, number int64) (Manifest, error) {
	var m Manifest
	err := open(document, keys, &m)
	if err == nil {
		err = m.Check()
	}
	if err == nil && m.Number != number {
		err = fmt.Errorf("it is release %d's", m.Number)
	}
	if err != nil {
		return Manifest{}, fmt.Errorf("manifest of release %d: %w", number, err)
	}
	return m, nil
}

// ManifestName returns where a release's manifest lies in a store.
func ManifestName(number int64) string { return fmt.Sprintf("releases/%d/manifest", number) }

// ArchiveName returns where the files of a release lie in a store.
func ArchiveName(number int64, platform string) string {
	return fmt.Sprintf("releases/%d/%s.tar.zst", number, strings.ReplaceAll(platform, "/", "-"))
}
