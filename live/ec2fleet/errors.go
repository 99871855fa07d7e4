package ec2fleet

import (
	"context"
	"errors"

	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/skynet-ec2/skynet/live/fleet"
)

// fault is an error of a call, taken apart.
type fault struct {
	class         fleet.Class
	code, message string
}

// faultOf returns what an error of the SDK means. What is no answer of EC2 (a
// timeout, a broken connection) is ambiguous.
func faultOf(err error) fault {
	if err == nil {
		return fault{class: fleet.None}
	}
	status := 0
	var response *smithyhttp.ResponseError
	if errors.As(err, &response) {
		status = response.HTTPStatusCode()
	}
	var api smithy.APIError
	if errors.As(err, &api) {
		return fault{fleet.ClassOf(api.ErrorCode(), status), api.ErrorCode(), api.ErrorMessage()}
	}
	f := fault{class: fleet.Ambiguous, code: "NoAnswer", message: err.Error()}
	if errors.Is(err, context.DeadlineExceeded) {
		f.code = "Timeout"
	}
	return f
}
