package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"time"

	"github.com/skynet-ec2/skynet/cmd/cli"
	"github.com/skynet-ec2/skynet/live/bundle"
	"github.com/skynet-ec2/skynet/live/objects"
	"github.com/skynet-ec2/skynet/live/supervisor"
)

// lookS3 is how often a release store in S3 is looked at, where nothing else is
// said: each look is paid for, and the queue tells of a new release at once.
const lookS3 = 30 * time.Second

// openReleases returns the release store at a place, and how often to look.
func openReleases(ctx context.Context, place, region string) (bundle.Store, time.Duration, error) {
	switch {
	case strings.HasPrefix(place, "s3://"):
		at, err := objects.ParseURL(place)
		if err != nil {
			return nil, 0, cli.InputError(fmt.Errorf("--releases %w", err))
		}
		s3, err := objects.Open(ctx, objects.Options{Region: region})
		if err != nil {
			return nil, 0, cli.OutsideError(err)
		}
		return bucketReleases{s3, at}, lookS3, nil
	case strings.HasPrefix(place, "https://"), strings.HasPrefix(place, "http://"):
		return bundle.NewWeb(place), supervisor.LookDefault, nil
	}
	return bundle.Folder(place), supervisor.LookDefault, nil
}

// bucketReleases is a release store in S3.
type bucketReleases struct {
	store *objects.Store
	root  objects.URL
}

// Get is as bundle.Store says.
func (b bucketReleases) Get(ctx context.Context, name string) (io.ReadCloser, error) {
	o, err := b.store.Get(ctx, b.root.Under(name))
	if errors.Is(err, objects.ErrNotFound) {
		return nil, fmt.Errorf("%w: %w", fs.ErrNotExist, err)
	}
	if err != nil {
		return nil, err
	}
	return o, nil
}
