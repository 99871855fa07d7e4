package objects

import (
	"bytes"
	"context"

	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// Publish writes an object that is written again and again, such as a page that
// says how things are now, over the one that was there. Results are never written
// so: see Put. cache is the Cache-Control of the object.
func (s *Store) Publish(ctx context.Context, at URL, text []byte, contentType, cache string) error {
	size := int64(len(text))
	_, err := s.client.PutObject(ctx, &s3.PutObjectInput{
		Bucket: &at.Bucket, Key: &at.Key, Body: bytes.NewReader(text), ContentLength: &size,
		ContentType: &contentType, CacheControl: &cache,
	})
	if err != nil {
		return explain("PutObject", at.String(), err)
	}
	return nil
}
