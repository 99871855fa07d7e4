package policy

import (
	"fmt"
	"strings"

	"github.com/skynet-ec2/skynet/policy/spell"
)

// unknownType tells what may stand in place of a type the catalog lacks: the
// type that was probably meant, or all of them.
func unknownType(c *Catalog, name string) string {
	if best := spell.Nearest(name, c.Names()); best != "" {
		return fmt.Sprintf("a type of catalog %s: did you mean %s?", c.Name, best)
	}
	return fmt.Sprintf("a type of catalog %s: %s", c.Name, strings.Join(c.Names(), ", "))
}
