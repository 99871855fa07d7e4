// Package sqs reads how full queues of Amazon SQS are. It alone talks to SQS and
// to CloudWatch.
//
// SQS counts approximately: a count may be behind by about a minute. The age of the
// oldest message and how many were deleted only CloudWatch knows, a point a minute,
// some minutes late, and only of queues that are in use. Where it does not answer,
// both are unknown, and follow from the counts.
package sqs

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/skynet-ec2/skynet/live/source"
)

// Config says which queues hold which jobs.
type Config struct {
	// URLs of the queues, one for each kind of job.
	URLs []string
	// CloudWatch is asked too, at most once a minute.
	CloudWatch bool
	// Now tells the time; nil: time.Now.
	Now func() time.Time
}

// Reader is a source.Reader.
type Reader struct {
	c      Config
	client *sqs.Client
	watch  *watch // nil: CloudWatch is not asked
}

// Open returns a reader with the credentials of an account. It makes no call.
func Open(account aws.Config, c Config) (*Reader, error) {
	if len(c.URLs) == 0 {
		return nil, errors.New("sqs: no queue")
	}
	for _, url := range c.URLs {
		if !strings.HasPrefix(url, "https://") && !strings.HasPrefix(url, "http://") || name(url) == "" {
			return nil, fmt.Errorf("sqs: queue %q: must be a queue's URL, https://…/NAME", url)
		}
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	r := &Reader{c: c, client: sqs.NewFromConfig(account, func(o *sqs.Options) { o.RetryMaxAttempts = 2 })}
	if c.CloudWatch {
		r.watch = newWatch(account, c.URLs, c.Now)
	}
	return r, nil
}

// name returns the name of the queue at a URL.
func name(url string) string { return url[strings.LastIndexByte(url, '/')+1:] }

// asked are the attributes that a reading needs.
var asked = []types.QueueAttributeName{
	types.QueueAttributeNameApproximateNumberOfMessages,
	types.QueueAttributeNameApproximateNumberOfMessagesNotVisible,
	types.QueueAttributeNameApproximateNumberOfMessagesDelayed,
}

// Read is of source.Reader. Every queue must answer.
func (r *Reader) Read(ctx context.Context) (source.Reading, error) {
	reading := source.Reading{At: r.c.Now().UTC(), Kinds: make([]source.Count, len(r.c.URLs))}
	failed := make(chan error, len(r.c.URLs))
	for i, url := range r.c.URLs {
		go func() { failed <- r.count(ctx, url, &reading.Kinds[i]) }()
	}
	var err error
	for range r.c.URLs {
		err = errors.Join(err, <-failed)
	}
	if err != nil {
		return source.Reading{}, err
	}
	if r.watch != nil {
		r.watch.add(ctx, reading.Kinds)
	}
	return reading, nil
}

// count reads one queue.
func (r *Reader) count(ctx context.Context, url string, c *source.Count) error {
	out, err := r.client.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: &url, AttributeNames: asked})
	if err != nil {
		return fmt.Errorf("sqs: %s: %w", name(url), err)
	}
	for i, into := range []*int64{&c.Waiting, &c.InFlight, &c.Delayed} {
		text, there := out.Attributes[string(asked[i])]
		if !there {
			return fmt.Errorf("sqs: %s: %s: not in the answer: unknown", name(url), asked[i])
		}
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil || n < 0 {
			return fmt.Errorf("sqs: %s: %s = %q: must be a whole number, at least 0", name(url), asked[i], text)
		}
		*into = n
	}
	return nil
}
