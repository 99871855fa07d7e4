// Package ec2api is the simulated EC2 as a server: package cloud behind the EC2
// Query protocol, with signatures of version 4, so that any AWS client drives it
// unmodified when AWS_ENDPOINT_URL_EC2 points at it. Beside the API it has an
// administrator's API under /_sim/ (clock, faults, capacity, the bill) and the
// metadata service of every instance, and of STS what says who an instance is.
//
// A Server reads no clock: it is handed one, real or accelerated, and in tests
// the fake one of testing/synctest. It starts nothing by itself: what an instance
// runs is the business of the Launcher that it is handed. Transport carries a
// client's requests to it without a socket.
package ec2api
