// Package cloud is EC2 as its API knows it: launches with client tokens,
// instances and their states, lists that lag behind, capacity, quotas, request
// buckets, spot interruptions, and the bill. It is a state machine without a
// clock of its own: every call says what time it is, and Next says when
// something will happen by itself.
//
// What a world has in store (boot lags, prices, refusals, faults) is package
// sim's, drawn by launch number, so that the n-th launch meets the same fate
// here as in a simulation of the same scenario. Package ec2api puts the HTTP
// protocol around it.
//
// The caller must
//
//  1. call with times that never decrease;
//  2. call Advance before it looks at anything, and carry out the effects it
//     returns;
//  3. hold a lock of its own: a Cloud is not safe for concurrent use.
package cloud
