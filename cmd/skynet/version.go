package main

import (
	"fmt"

	"github.com/skynet-ec2/skynet/cmd/cli"

	"github.com/spf13/cobra"
)

// version says which program this is, and by which policy it decides.
type version struct {
	cli.Version
	Policy policyVersion `json:"policy"`
}

// buildVersion returns the version of the running program.
func buildVersion() version { return version{cli.BuildVersion(program.Name), builtPolicy()} }

// short returns v as far as results depend on it: not on compiler and platform.
func (v version) short() string { return v.Short() }

// versionLines is a version as the verb prints it.
type versionLines struct{ version }

func (v versionLines) String() string { return v.Version.String() + "\n" + v.Policy.String() }

func newVersionCommand(a *app) *cobra.Command {
	return cli.VersionCommand(a.cli, func() fmt.Stringer { return versionLines{buildVersion()} })
}
