package client

import "context"

// Call makes a call that this package has no method for, of a service that answers
// as a queue does: the body is sent as JSON unless it is nil, and so is the answer.
// A call that may have been carried out is not repeated.
func Call[T any](ctx context.Context, c *Client, method, path string, body any) (T, error) {
	return call[T](ctx, c, request{method: method, path: path, body: body, once: method != "GET"})
}
