package objects

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// SignPut returns an address to which anybody who has it can PUT the object once,
// for a time of at most seven days. It makes no call to S3. The caller's
// credentials bound it too: where they end earlier, the address does.
//
// The request must bear the header If-None-Match: *, which the signature covers.
func (s *Store) SignPut(ctx context.Context, at URL, lasts time.Duration) (string, error) {
	signer := s3.NewPresignClient(s.client, s3.WithPresignExpires(lasts), s3.WithPresignClientFromClientOptions(func(o *s3.Options) {
		o.RequestChecksumCalculation = aws.RequestChecksumCalculationWhenRequired // the body is not known yet
	}))
	req, err := signer.PresignPutObject(ctx, &s3.PutObjectInput{Bucket: &at.Bucket, Key: &at.Key, IfNoneMatch: &anyObject})
	if err != nil {
		return "", explain("PutObject", at.String(), err)
	}
	return req.URL, nil
}
