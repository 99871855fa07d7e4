// Rivals writes docs/rivals.md: every policy that SkyNet is compared with, how it
// decides, where that is from, what deviates and what is uncertain, its known
// pitfalls and its parameters. The text is the comment of the policy's
// declaration, the parameters are those it declares.
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
var page = filepath.Join(root, "docs", "rivals.md")

func main() {
	if err := write(); err != nil {
		fmt.Fprintln(os.Stderr, "rivals:", err)
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
