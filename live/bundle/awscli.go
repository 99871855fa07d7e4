package bundle

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"strings"
)

// AWSCLI is a store in S3 that is written through the AWS CLI, which
// has to be installed: whoever releases by hand has it, and skynet links no AWS.
type AWSCLI struct {
	Bucket string
	Prefix string // of keys, without a slash at its end; may be ""
}

// ParseAWSCLI reads s3://bucket/prefix.
func ParseAWSCLI(url string) (AWSCLI, error) {
	rest, ok := strings.CutPrefix(url, "s3://")
	bucket, prefix, _ := strings.Cut(rest, "/")
	if !ok || bucket == "" {
		return AWSCLI{}, fmt.Errorf("%q: must be s3://bucket/prefix", url)
	}
	return AWSCLI{bucket, strings.TrimSuffix(prefix, "/")}, nil
}

func (s AWSCLI) key(name string) string {
	if s.Prefix == "" {
		return name
	}
	return s.Prefix + "/" + name
}

// Get is as Store says.
func (s AWSCLI) Get(ctx context.Context, name string) (io.ReadCloser, error) {
	f, err := os.CreateTemp("", "skynet-release-*")
	if err != nil {
		return nil, err
	}
	f.Close()
	defer os.Remove(f.Name()) // the open file outlives its name
	if err := s.run(ctx, "get-object", name, f.Name()); err != nil {
		return nil, err
	}
	return os.Open(f.Name())
}

// Put is as WritableStore says.
func (s AWSCLI) Put(ctx context.Context, name, file string, replace bool) error {
	args := []string{"--body", file}
	if !replace {
		args = append(args, "--if-none-match", "*")
	}
	return s.run(ctx, "put-object", name, args...)
}

// run runs a command of aws s3api.
func (s AWSCLI) run(ctx context.Context, command, name string, args ...string) error {
	c := exec.CommandContext(ctx, "aws", append([]string{"s3api", command, "--bucket", s.Bucket, "--key", s.key(name)}, args...)...)
	var said strings.Builder
	c.Stderr = &said
	err := c.Run()
	if err == nil {
		return nil
	}
	at := fmt.Sprintf("aws s3api %s s3://%s/%s", command, s.Bucket, s.key(name))
	text := strings.TrimSpace(said.String())
	switch {
	case errors.Is(err, exec.ErrNotFound):
		return fmt.Errorf("a store in S3 is written through the AWS CLI: %w", err)
	case strings.Contains(text, "NoSuchKey"):
		return fmt.Errorf("%s: %w", at, fs.ErrNotExist)
	case strings.Contains(text, "PreconditionFailed"):
		return fmt.Errorf("%s: %w", at, fs.ErrExist)
	}
	return fmt.Errorf("%s: %w: %s", at, err, text)
}
