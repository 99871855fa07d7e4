package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"aead.dev/minisign"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/skynet-ec2/skynet/live/bundle"
)

func newReleaseCommand(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "release",
		Short: "publish the workers' software, stage it, take it back",
		Long: `Release works on a release store: a folder, which may be shown by any web server,
or s3://bucket/prefix, which is written through the AWS CLI. What is in it is
signed; workers that follow a channel run what it names within seconds.
docs/worker.md tells more.`,
	}
	c.AddCommand(newReleaseKeyCommand(a), newReleasePublishCommand(a), newReleasePromoteCommand(a),
		newReleaseRollbackCommand(a), newReleaseRenewCommand(a), newReleaseStatusCommand(a))
	return c
}

// releaseStore are the flags of all verbs that work on a store.
type releaseStore struct {
	place   string
	key     string
	channel string
	public  []string
}

// What the environment says of releases.
const (
	envReleasePassword = "SKYNET_RELEASE_PASSWORD"
	envReleases        = "SKYNET_RELEASES"
)

func (r *releaseStore) add(flags *pflag.FlagSet, signs, channel bool) {
	flags.StringVar(&r.place, "store", os.Getenv(envReleases), "the release store, a `place`: a folder or s3://bucket/prefix; default: "+envReleases)
	if signs {
		flags.StringVar(&r.key, "key", "release.key", "sign with the private key in this `file`, as minisign writes it")
	} else {
		flags.StringArrayVar(&r.public, "public-key", nil, "believe what this minisign public `key` signed; default: the one in release.key.pub")
	}
	if channel {
		flags.StringVar(&r.channel, "channel", "production", "the `channel` that workers follow")
	}
}

func (r *releaseStore) open() (bundle.WritableStore, error) {
	switch {
	case r.place == "":
		return nil, usageError(errors.New("--store: must be given, or " + envReleases + " set: the folder or s3://bucket/prefix of the releases"))
	case strings.HasPrefix(r.place, "s3://"):
		s, err := bundle.ParseAWSCLI(r.place)
		if err != nil {
			return nil, usageError(fmt.Errorf("--store %w", err))
		}
		return s, nil
	case strings.Contains(r.place, "://"):
		return nil, usageError(fmt.Errorf("--store %s: must be a folder or s3://bucket/prefix: a web server shows a folder, it takes no releases", r.place))
	}
	return bundle.Folder(r.place), nil
}

func (r *releaseStore) privateKey() (minisign.PrivateKey, error) {
	key, err := bundle.ReadPrivateKey(r.key, os.Getenv(envReleasePassword))
	if err != nil {
		return key, inputError(fmt.Errorf("--key: %w", err))
	}
	return key, nil
}

// both returns the store and the key to sign with.
func (r *releaseStore) both() (bundle.WritableStore, minisign.PrivateKey, error) {
	store, err := r.open()
	if err != nil {
		return nil, minisign.PrivateKey{}, err
	}
	key, err := r.privateKey()
	return store, key, err
}

// An edit is what it takes to change a channel.
type edit struct {
	store   bundle.WritableStore
	key     minisign.PrivateKey
	keys    []minisign.PublicKey // to believe
	channel bundle.Channel       // as it is
}

// edit reads the channel that is to be changed. One that is out of date at now is
// an error; the zero time believes all.
func (r *releaseStore) edit(ctx context.Context, now time.Time) (edit, error) {
	store, key, err := r.both()
	if err != nil {
		return edit{}, err
	}
	keys := []minisign.PublicKey{bundle.PublicKey(key)}
	c, err := bundle.ReadChannel(ctx, store, keys, r.channel, now)
	if err != nil {
		return edit{}, inputError(err)
	}
	return edit{store, key, keys, c}, nil
}

// publicKeys returns the keys to believe.
func (r *releaseStore) publicKeys() ([]minisign.PublicKey, error) {
	texts := r.public
	if len(texts) == 0 {
		text, err := os.ReadFile("release.key.pub")
		if err != nil {
			return nil, inputError(fmt.Errorf("--public-key is not given, and %w", err))
		}
		texts = []string{string(text)}
	}
	keys, err := bundle.ParseKeys(texts)
	if err != nil {
		return nil, inputError(err)
	}
	return keys, nil
}

func newReleaseKeyCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "key [FILE]",
		Short: "make a pair of keys to sign releases with",
		Long: `Key writes a private key to FILE (release.key), for nobody else to read, and the
public one, which workers are told, to FILE.pub. A password in
SKYNET_RELEASE_PASSWORD protects the private key. Both are what the minisign
program reads and writes.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			path := "release.key"
			if len(args) == 1 {
				path = args[0]
			}
			public, err := makeReleaseKey(path, os.Getenv(envReleasePassword))
			if errors.Is(err, fs.ErrExist) {
				err = fmt.Errorf("%s is there already, and workers may believe it: name another FILE", path)
			}
			if err != nil {
				return inputError(err)
			}
			_, err = fmt.Fprintln(a.stdout, public)
			return err
		},
	}
}

// makeReleaseKey writes a pair of keys and returns the public one.
func makeReleaseKey(path, password string) (string, error) {
	public, private, err := minisign.GenerateKey(nil)
	if err != nil {
		return "", err
	}
	text, err := private.MarshalText()
	if err == nil && password != "" {
		text, err = minisign.EncryptKey(password, private)
	}
	if err != nil {
		return "", err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600) // never over another key
	if err != nil {
		return "", err
	}
	_, err = f.Write(text)
	if err = errors.Join(err, f.Close()); err != nil {
		return "", err
	}
	shown, err := public.MarshalText()
	if err != nil {
		return "", err
	}
	return public.String(), os.WriteFile(path+".pub", append(shown, '\n'), 0o644)
}

func newReleasePublishCommand(a *app) *cobra.Command {
	var r releaseStore
	var release bundle.Release
	var run string
	c := &cobra.Command{
		Use:   "publish FOLDER | PLATFORM=FOLDER...",
		Short: "pack, sign and upload a release",
		Long: `Publish writes a release of the files in FOLDER to the store, and prints its
number. Nobody runs it yet: see promote. With several platforms, such as
linux/amd64=build/amd64, each instance gets its own.`,
		Example: `  skynet release publish --store /srv/releases --version v1.4.0 build
  skynet release publish --store s3://acme-skynet/releases --version v1.4.0 linux/amd64=amd64 linux/arm64=arm64`,
		Args: atLeastOne("FOLDER"),
		RunE: func(_ *cobra.Command, args []string) error {
			store, key, err := r.both()
			if err != nil {
				return err
			}
			release.Folders = map[string]string{}
			for _, arg := range args {
				platform, folder, named := strings.Cut(arg, "=")
				if !named {
					platform, folder = bundle.AnyPlatform, arg
				}
				if _, twice := release.Folders[platform]; twice {
					return usageError(fmt.Errorf("%s: it is there twice", platform))
				}
				release.Folders[platform] = folder
			}
			release.Run = strings.Fields(run)
			m, err := bundle.Publish(a.ctx, store, release, key, time.Now())
			if err != nil {
				return inputError(err)
			}
			for _, archive := range m.Archives {
				a.log.Info("packed", "platform", archive.Platform, "files", archive.Files, "bytes", archive.Size, "unpacked", archive.Unpacked)
			}
			_, err = fmt.Fprintf(a.stdout, "published release %d (%s)\nnext: skynet release promote %d --to 1%%\n", m.Number, m.Version, m.Number)
			return err
		},
	}
	f := c.Flags()
	r.add(f, true, false)
	f.StringVar(&release.Version, "version", "", "what people call it, a `word`")
	f.Int64Var(&release.Number, "number", 0, "the release's `number`, larger than those before; default: of the day, such as 2026113001")
	f.StringVar(&run, "run", "skynet-worker run", "what to start, `words`: a program within FOLDER and its arguments")
	return c
}
