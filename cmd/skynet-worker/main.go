// Skynet-worker is what an instance runs: it asks the queue for work, does it
// and delivers the results. It is dumb and many.
package main

import (
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/skynet-ec2/skynet/cmd/cli"
)

var program = cli.Program{
	Name: "skynet-worker",
	Short: `Skynet-worker does the queue's jobs on the machine it runs on. Without a verb it
runs: skynet-worker --queue URL is skynet-worker run --queue URL.`,
}

func main() {
	os.Exit(execute(os.Args[1:]))
}

// execute executes one command line and returns the process's exit code.
func execute(args []string) int {
	return cli.Run(program, withVerb(args), func(a *cli.App) []*cobra.Command {
		return []*cobra.Command{newRunCommand(a), newBootCommand(a), newBenchCommand(a), cli.NewVersionCommand(a)}
	})
}

// withVerb returns a command line that names its verb: run, where it begins with
// a flag, and not with the one that asks for help.
func withVerb(args []string) []string {
	if len(args) == 0 || strings.HasPrefix(args[0], "-") && args[0] != "-h" && args[0] != "--help" {
		return append([]string{"run"}, args...)
	}
	return args
}
