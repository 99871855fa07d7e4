// Package objects reads and writes S3 objects. It alone talks to S3.
//
// A result is written once: a put of a key that is there already is refused
// by the store itself (If-None-Match), so that a worker that lost its lease
// cannot replace what another has written.
package objects

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// ErrExists is returned by Put where the key is taken.
var ErrExists = errors.New("the object is there already")

// ErrNotFound is returned where there is no such object.
var ErrNotFound = errors.New("no such object")

// partSize is the size of the parts of a multipart upload, and the size from
// which an object is uploaded in parts.
const partSize = 8 << 20

// A Store is S3, or what speaks its protocol. The zero Store is not usable:
// see Open.
type Store struct {
	client   *s3.Client
	partSize int64
}

// Options say how to reach S3.
type Options struct {
	Region string // "": what the environment says, else us-east-1
	// PathStyle puts the bucket in the path, not in the host's name. It is what
	// servers other than Amazon's want, and is on where the environment names
	// such a server (AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL).
	PathStyle bool
	// PartSize replaces the 8 MiB above which an object is put in parts of that
	// size. S3 takes no part below 5 MiB but the last.
	PartSize int64
}

// Open prepares a client with the credentials that the environment, the
// configuration files or the instance's role give. It makes no call to S3.
func Open(ctx context.Context, o Options) (*Store, error) {
	cfg, err := config.LoadDefaultConfig(ctx, config.WithRegion(o.Region))
	if err != nil {
		return nil, fmt.Errorf("s3: %w", err)
	}
	if cfg.Region == "" {
		cfg.Region = "us-east-1"
	}
	elsewhere := cfg.BaseEndpoint != nil || hasEndpoint(cfg)
	client := s3.NewFromConfig(cfg, func(s *s3.Options) {
		s.UsePathStyle = o.PathStyle || elsewhere
		s.RetryMaxAttempts = 3
		s.DisableLogOutputChecksumValidationSkipped = true // whoever needs to know compares sums itself
	})
	if o.PartSize == 0 {
		o.PartSize = partSize
	}
	return &Store{client: client, partSize: o.PartSize}, nil
}

// hasEndpoint reports whether the environment sends S3's calls to a server of
// its own.
func hasEndpoint(cfg aws.Config) bool {
	for _, source := range cfg.ConfigSources {
		if s, ok := source.(interface {
			GetServiceBaseEndpoint(context.Context, string) (string, bool, error)
		}); ok {
			if _, found, err := s.GetServiceBaseEndpoint(context.Background(), s3.ServiceID); err == nil && found {
				return true
			}
		}
	}
	return false
}

// Region returns the region that calls are signed for.
func (s *Store) Region() string { return s.client.Options().Region }

// BucketRegion returns the region in which a bucket lives.
func (s *Store) BucketRegion(ctx context.Context, bucket string) (string, error) {
	out, err := s.client.GetBucketLocation(ctx, &s3.GetBucketLocationInput{Bucket: &bucket})
	if err != nil {
		return "", explain("GetBucketLocation", bucket, err)
	}
	if out.LocationConstraint == "" {
		return "us-east-1", nil // S3's oldest region has no name here
	}
	return string(out.LocationConstraint), nil
}

// An Object is what Get returns: its bytes, to be closed, and what is known of it.
type Object struct {
	io.ReadCloser
	Size        int64 // in bytes; -1 where the store does not say
	ContentType string
	Modified    time.Time
}

// Get opens an object for reading.
func (s *Store) Get(ctx context.Context, at URL) (Object, error) {
	out, err := s.client.GetObject(ctx, &s3.GetObjectInput{Bucket: &at.Bucket, Key: &at.Key})
	if err != nil {
		return Object{}, explain("GetObject", at.String(), err)
	}
	size := int64(-1)
	if out.ContentLength != nil {
		size = *out.ContentLength
	}
	return Object{out.Body, size, aws.ToString(out.ContentType), aws.ToTime(out.LastModified)}, nil
}

// explain names the call, the object and what is wrong, and makes the answers
// that callers branch on into errors of this package.
func explain(call, at string, err error) error {
	var api smithy.APIError
	var answer *smithyhttp.ResponseError
	code, status := "", 0
	if errors.As(err, &api) {
		code = api.ErrorCode()
	}
	if errors.As(err, &answer) {
		status = answer.HTTPStatusCode()
	}
	switch {
	case code == "NoSuchKey" || code == "NotFound" || code == "NoSuchBucket":
		return fmt.Errorf("%s %s: %w (%s)", call, at, ErrNotFound, code)
	case status == http.StatusPreconditionFailed || code == "PreconditionFailed":
		return fmt.Errorf("%s %s: %w", call, at, ErrExists)
	case code != "":
		return fmt.Errorf("%s %s: %s: %w", call, at, code, err)
	}
	return fmt.Errorf("%s %s: %w", call, at, err)
}

// Permanent reports whether err of this package stays however often the call
// is repeated: the key is taken, there is no such bucket, or access is denied.
func Permanent(err error) bool {
	if errors.Is(err, ErrExists) || errors.Is(err, ErrNotFound) {
		return true
	}
	var answer *smithyhttp.ResponseError
	if !errors.As(err, &answer) {
		return false
	}
	switch answer.HTTPStatusCode() {
	case http.StatusRequestTimeout, http.StatusConflict, http.StatusTooManyRequests:
		return false
	}
	return answer.HTTPStatusCode() >= 400 && answer.HTTPStatusCode() < 500
}
