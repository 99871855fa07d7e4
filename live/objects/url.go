package objects

import (
	"fmt"
	"regexp"
	"strings"
)

// A URL names an S3 object, or the beginning of the names of several.
type URL struct {
	Bucket string
	Key    string // without a leading slash; may be ""
}

// bucketName is what S3 takes as the name of a bucket.
var bucketName = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)

// keyMax is S3's bound on the length of a key, in bytes.
const keyMax = 1024

// ParseURL reads s3://bucket/key. A key may be missing.
func ParseURL(s string) (URL, error) {
	rest, ok := strings.CutPrefix(s, "s3://")
	if !ok {
		return URL{}, fmt.Errorf("%q: must begin with s3://", s)
	}
	bucket, key, _ := strings.Cut(rest, "/")
	switch {
	case !bucketName.MatchString(bucket):
		return URL{}, fmt.Errorf("%q: %q is no name of a bucket: 3 to 63 of a-z 0-9 . -", s, bucket)
	case len(key) > keyMax:
		return URL{}, fmt.Errorf("s3://%s: a key of %d bytes: must be at most %d", bucket, len(key), keyMax)
	}
	return URL{bucket, key}, nil
}

// String returns the address, as in "s3://bucket/key".
func (u URL) String() string { return "s3://" + u.Bucket + "/" + u.Key }

// Under returns the object called name below u.
func (u URL) Under(name string) URL {
	if u.Key == "" || strings.HasSuffix(u.Key, "/") {
		return URL{u.Bucket, u.Key + name}
	}
	return URL{u.Bucket, u.Key + "/" + name}
}
