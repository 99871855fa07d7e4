// Skynet plans, checks and operates batch fleets on EC2.
//
// Each verb has a file of its own, which holds its flags and its wiring; what
// a verb computes lives in the packages it calls.
package main

import (
	"os"

	"github.com/skynet-ec2/skynet/cmd/cli"
	"github.com/skynet-ec2/skynet/scenarios"

	"github.com/spf13/cobra"
)

var program = cli.Program{
	Name: "skynet", Short: "SkyNet plans, checks and operates batch fleets on EC2.",
	Other: "skynetd", Elsewhere: []string{"queue", "tokens", "db", "controller", "all", "doctor", "journal", "ec2sim", "demo"},
}

// verbs are the commands of skynet, in the order in which help lists them.
// A new verb is one file and one line here.
var verbs = []func(*app) *cobra.Command{
	newSimulateCommand,
	newCompareCommand,
	newBoundCommand,
	newTuneCommand,
	newCheckCommand,
	newReplayCommand,
	newExplainCommand,
	newIncidentCommand,
	newDriftCommand,
	newScenarioCommand,
	newTraceCommand,
	newJobsCommand,
	newStatusCommand,
	newPolicyCommand,
	newFleetCommand,
	newStopCommand,
	newResumeCommand,
	newReleaseCommand,
	newVersionCommand,
}

func main() {
	os.Exit(run(os.Args[1:]))
}

// run executes one command line and returns the process's exit code.
func run(args []string) int {
	return cli.Run(program, args, func(c *cli.App) []*cobra.Command { return appOf(c).commands() })
}

// commands returns skynet's verbs.
func (a *app) commands() []*cobra.Command {
	all := make([]*cobra.Command, len(verbs))
	for i, newVerb := range verbs {
		all[i] = newVerb(a)
		if all[i].Flags().Lookup("policy") != nil {
			cli.Complete(all[i], "policy", cobra.ShellCompDirectiveDefault, policyNames())
		}
	}
	return all
}

// policyNames returns the names of all policies.
func policyNames() []string {
	var names []string
	for _, s := range scenarios.Policies() {
		names = append(names, s.Name)
	}
	return names
}
