package main

import (
	"github.com/skynet-ec2/skynet/cmd/cli"

	"github.com/spf13/cobra"
)

// version says which program this is.
type version struct{ cli.Version }

// buildVersion returns the version of the running program.
func buildVersion() version { return version{cli.BuildVersion(program.Name)} }

// short returns v as far as results depend on it: not on compiler and platform.
func (v version) short() string { return v.Short() }

func newVersionCommand(a *app) *cobra.Command { return cli.NewVersionCommand(a.cli) }
