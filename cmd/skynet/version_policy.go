package main

import "github.com/skynet-ec2/skynet/policy/skynet"

// policyVersion says which policy a program decides by, unless a scenario or a
// file names another.
type policyVersion struct {
	Name   string `json:"name"`
	SHA256 string `json:"sha256"` // of its parameters, their bounds and defaults
}

func builtPolicy() policyVersion {
	return policyVersion{Name: skynet.Spec.Name, SHA256: skynet.Spec.Hash()}
}

// String returns p on one line, such as "policy skynet, parameters 5e0c1a9b7d21".
func (p policyVersion) String() string { return "policy " + p.Name + ", parameters " + p.SHA256[:12] }
