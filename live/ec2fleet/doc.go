// Package ec2fleet is the fleet on EC2, and the only importer of EC2's client.
//
// A Reader lists the instances that carry the fleet's tags; it has no method that
// changes anything, and holds a client that has none either. A Writer is a Reader
// that launches and terminates besides: on demand with RunInstances under a client
// token that follows from the intent, on the spot market with an instant fleet.
//
// The SDK's own retries are off: what is repeated, and when, is decided here, by
// what an error means (fleet.ClassOf), and by the ledger.
package ec2fleet
