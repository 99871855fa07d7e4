package main

import "github.com/skynet-ec2/skynet/scenarios/grid"

// boundNames are the words of compare's --bound.
var boundNames = []string{"floor"}

// yardstick returns what costs are compared with: the floor of work, which
// every run tells by itself.
func yardstick(name string, _ *app) grid.Yardstick { return grid.Yardstick{Name: name} }
