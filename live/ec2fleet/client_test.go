package ec2fleet

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"github.com/skynet-ec2/skynet/sim/cloud"
	"github.com/skynet-ec2/skynet/sim/ec2api"
)

// An answer may be there before net/http has seen that a request's body ends; it
// must not lose its connection for that, which would read as an outage of EC2.
// Here the answer always is.
func TestAnAnswerThatComesAtOnceIsRead(t *testing.T) {
	r := newRegion(t, nil)
	r.look(func(c *cloud.Cloud) {
		if _, err := c.RunInstances(cloud.RunRequest{Min: 40, Max: 40, Spec: cloud.Spec{Image: c.Image().ID, Type: "m1.small"}}); err != nil {
			t.Fatal(err)
		}
	})
	web := httptest.NewServer(r.server)
	defer web.Close()
	answered := make(chan struct{}) // and the SDK reads the answer
	transport := &http.Transport{DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(ctx, network, address)
		return slowWrites{conn, answered}, err
	}}
	defer transport.CloseIdleConnections()
	account := aws.Config{
		Region: "us-east-1", BaseEndpoint: aws.String(web.URL),
		Credentials: credentials.NewStaticCredentialsProvider(ec2api.TestAccessKey, ec2api.TestSecretKey, ""),
		HTTPClient:  &http.Client{Transport: tellReading{transport, sync.OnceFunc(func() { close(answered) })}},
	}

	wrote := make(chan error, 1)
	ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{
		WroteRequest: func(w httptrace.WroteRequestInfo) { wrote <- w.Err },
	})
	out, err := newClient(account).DescribeInstances(ctx, &ec2.DescribeInstancesInput{})
	if err != nil || len(out.Reservations) != 1 || len(out.Reservations[0].Instances) != 40 {
		t.Errorf("%+v, %v", out, err)
	}
	select {
	case err := <-wrote:
		if err != nil {
			t.Errorf("the request was not written whole: %v", err)
		}
	case <-time.After(time.Minute):
		t.Error("the request was never written")
	}
}

// slowWrites is a connection whose write of a request's body returns once the
// answer is read.
type slowWrites struct {
	net.Conn
	answered <-chan struct{}
}

func (c slowWrites) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	if bytes.Contains(p, []byte("Action=")) {
		<-c.answered
	}
	return n, err
}

// tellReading says when an answer's body is read.
type tellReading struct {
	http.RoundTripper
	reads func()
}

func (t tellReading) RoundTrip(r *http.Request) (*http.Response, error) {
	reply, err := t.RoundTripper.RoundTrip(r)
	if err == nil {
		reply.Body = toldBody{reply.Body, t.reads}
	}
	return reply, err
}

type toldBody struct {
	io.ReadCloser
	reads func()
}

func (b toldBody) Read(p []byte) (int, error) {
	b.reads()
	return b.ReadCloser.Read(p)
}
