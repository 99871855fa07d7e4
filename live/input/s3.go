package input

import (
	"context"
	"errors"
	"io"

	"github.com/skynet-ec2/skynet/live/objects"
)

// openS3 opens an S3 object of the worker's own region.
func (f *Fetcher) openS3(ctx context.Context, uri string) (io.ReadCloser, error) {
	at, err := objects.ParseURL(uri)
	switch {
	case err != nil:
		return nil, refuse(uri, "%v", err)
	case at.Key == "":
		return nil, refuse(uri, "the key is missing")
	case f.S3 == nil:
		return nil, refuse(uri, "this worker has no access to S3")
	}
	if !f.AnyRegion {
		region, err := f.region(ctx, at.Bucket)
		if err != nil {
			return nil, refused(uri, err)
		}
		if region != f.S3.Region() {
			return nil, refuse(uri, "bucket %s is in %s, this worker in %s: transfer between regions costs money; --any-region allows it", at.Bucket, region, f.S3.Region())
		}
	}
	object, err := f.S3.Get(ctx, at)
	if err != nil {
		return nil, refused(uri, err)
	}
	if object.Size > f.most() {
		object.Close()
		return nil, refuse(uri, "%d bytes: may be %d", object.Size, f.most())
	}
	return object, nil
}

// refused makes an error of S3 that will stay a refusal.
func refused(uri string, err error) error {
	if objects.Permanent(err) {
		return errors.Join(refuse(uri, "S3 has no such object for this worker"), err)
	}
	return err
}

// region returns where a bucket lives, and asks S3 once only.
func (f *Fetcher) region(ctx context.Context, bucket string) (string, error) {
	f.mu.Lock()
	region, known := f.regions[bucket]
	f.mu.Unlock()
	if known {
		return region, nil
	}
	region, err := f.S3.BucketRegion(ctx, bucket)
	if err != nil {
		return "", err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.regions == nil {
		f.regions = map[string]string{}
	}
	f.regions[bucket] = region
	return region, nil
}
