// Inputs writes docs/inputs.md: every input of policy.Observation with its
// unit, who fills it, what it means and which rules read it. Meaning and unit
// come from the source of package policy, the readers from its types, and only
// the source of each input is told here, in sources.go.
//
// Its tests fail on an input that nothing fills, that nothing reads and that is
// not marked as recorded only, and on a page that is out of date.
package main

//go:generate go run .

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/skynet-ec2/skynet/traces/whole"
)

// root is the repository, from this folder.
const root = "../.."

// page is the generated document.
var page = filepath.Join(root, "docs", "inputs.md")

func main() {
	if err := write(); err != nil {
		fmt.Fprintln(os.Stderr, "inputs:", err)
		os.Exit(3)
	}
}

func write() error {
	text, err := generate()
	if err != nil {
		return err
	}
	return whole.WriteFile(page, text)
}
