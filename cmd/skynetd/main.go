// Skynetd is SkyNet in production: the queue that work waits in, the controller
// that decides about its fleet, and what belongs to them.
//
// Each verb has a file of its own, which holds its flags and its wiring; what a
// verb does lives in the packages it calls.
package main

import (
	"os"

	"github.com/skynet-ec2/skynet/cmd/cli"

	"github.com/spf13/cobra"
)

var program = cli.Program{
	Name: "skynetd", Short: "Skynetd runs SkyNet's services: the queue, and what belongs to it.",
	Other: "skynet", Elsewhere: []string{"simulate", "compare", "bound", "tune", "check", "replay", "explain", "scenario", "jobs", "status", "policy", "fleet", "release"},
}

// verbs are the commands of skynetd, in the order in which help lists them.
// A new verb is one file and one line here.
var verbs = []func(*cli.App) *cobra.Command{
	newQueueCommand,
	newTokensCommand,
	newDBCommand,
	newTraceCommand,
	newControllerCommand,
	newAllCommand,
	newDoctorCommand,
	newJournalCommand,
	newIncidentCommand,
	newDriftCommand,
	newStopCommand,
	newResumeCommand,
	newEC2SimCommand,
	newDemoCommand,
	cli.NewVersionCommand,
}

func main() {
	os.Exit(run(os.Args[1:]))
}

// run executes one command line and returns the process's exit code.
func run(args []string) int {
	return cli.Run(program, args, func(a *cli.App) []*cobra.Command {
		a.Ctx = untilParentEnds(a.Ctx)
		all := make([]*cobra.Command, len(verbs))
		for i, newVerb := range verbs {
			all[i] = newVerb(a)
		}
		return all
	})
}
