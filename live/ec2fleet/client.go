package ec2fleet

import (
	"bytes"
	"io"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
)

// newClient returns EC2's client without retries of its own: this package decides
// what is repeated.
func newClient(account aws.Config) *ec2.Client {
	return ec2.NewFromConfig(account, func(o *ec2.Options) {
		o.Retryer = aws.NopRetryer{}
		o.HTTPClient = wholeRequests{o.HTTPClient}
	})
}

// wholeRequests sends the body of a request in one piece with its headers.
//
// The SDK wraps a body in a type of its own. Of such a body net/http sends the
// headers first, and once the body is sent it reads on, to see that no more follows.
// Where EC2 has answered by then, the SDK has closed the body, whose WriteTo says so
// by io.EOF; net/http takes that for a failed write and closes the connection under
// the answer that is being read. A bytes.Reader is sent whole, and the answer cannot
// be there before all of it is.
type wholeRequests struct{ client ec2.HTTPClient }

// Do implements ec2.HTTPClient.
func (w wholeRequests) Do(r *http.Request) (*http.Response, error) {
	if r.Body == nil || r.Body == http.NoBody {
		return w.client.Do(r)
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	// the clone leaves the SDK's own body to the SDK, which closes it
	sent := r.Clone(r.Context())
	sent.Body, sent.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	return w.client.Do(sent)
}
