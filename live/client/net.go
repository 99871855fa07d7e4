package client

import (
	"errors"
	"net"
)

// neverConnected reports whether err says that no connection was made, so that
// nothing can have been done.
func neverConnected(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "dial"
}
