package objects

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// abortTime bounds the tidying up after an upload that failed.
const abortTime = 10 * time.Second

// Put writes size bytes of body as an object that is not there yet, and returns
// ErrExists where it is. A large object goes in parts; it appears whole or not
// at all, and the parts of one that failed are removed.
func (s *Store) Put(ctx context.Context, at URL, body io.ReaderAt, size int64, contentType string) error {
	if size <= s.partSize {
		return s.putWhole(ctx, at, body, size, contentType)
	}
	return s.putParts(ctx, at, body, size, contentType)
}

func (s *Store) putWhole(ctx context.Context, at URL, body io.ReaderAt, size int64, contentType string) error {
	_, err := s.client.PutObject(ctx, &s3.PutObjectInput{
		Bucket: &at.Bucket, Key: &at.Key, Body: io.NewSectionReader(body, 0, size),
		ContentLength: &size, ContentType: &contentType, IfNoneMatch: &anyObject,
	})
	if err != nil {
		return explain("PutObject", at.String(), err)
	}
	return nil
}

// anyObject is what no object must match where one is written for the first time.
var anyObject = "*"

func (s *Store) putParts(ctx context.Context, at URL, body io.ReaderAt, size int64, contentType string) (err error) {
	begun, err := s.client.CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{
		Bucket: &at.Bucket, Key: &at.Key, ContentType: &contentType,
	})
	if err != nil {
		return explain("CreateMultipartUpload", at.String(), err)
	}
	defer func() {
		if err == nil {
			return
		}
		// also after ctx has ended: parts that stay are paid for
		tidy, cancel := context.WithTimeout(context.WithoutCancel(ctx), abortTime)
		defer cancel()
		_, failed := s.client.AbortMultipartUpload(tidy, &s3.AbortMultipartUploadInput{
			Bucket: &at.Bucket, Key: &at.Key, UploadId: begun.UploadId,
		})
		if failed != nil {
			err = errors.Join(err, explain("AbortMultipartUpload", at.String(), failed))
		}
	}()

	var parts []types.CompletedPart
	for offset := int64(0); offset < size; offset += s.partSize {
		number := int32(len(parts) + 1)
		length := min(s.partSize, size-offset)
		part, err := s.client.UploadPart(ctx, &s3.UploadPartInput{
			Bucket: &at.Bucket, Key: &at.Key, UploadId: begun.UploadId, PartNumber: &number,
			Body: io.NewSectionReader(body, offset, length), ContentLength: &length,
		})
		if err != nil {
			return explain(fmt.Sprintf("UploadPart %d of", number), at.String(), err)
		}
		parts = append(parts, types.CompletedPart{
			ETag: part.ETag, PartNumber: &number,
			ChecksumCRC32: part.ChecksumCRC32, ChecksumCRC64NVME: part.ChecksumCRC64NVME,
		})
	}
	_, err = s.client.CompleteMultipartUpload(ctx, &s3.CompleteMultipartUploadInput{
		Bucket: &at.Bucket, Key: &at.Key, UploadId: begun.UploadId, IfNoneMatch: &anyObject,
		MultipartUpload: &types.CompletedMultipartUpload{Parts: parts},
	})
	if err != nil {
		return explain("CompleteMultipartUpload", at.String(), err)
	}
	return nil
}
