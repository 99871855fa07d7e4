package main

import (
	"encoding/json"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// version says which program this is, as far as its build recorded it.
type version struct {
	Version  string `json:"version"`            // of the module; "(devel)" when built from a work tree
	Revision string `json:"revision,omitempty"` // of the repository
	Time     string `json:"time,omitempty"`     // of that revision, RFC 3339
	Modified bool   `json:"modified,omitempty"` // the work tree differed from the revision
	Go       string `json:"go"`
	Platform string `json:"platform"` // operating system/architecture

	Policy policyVersion `json:"policy"`
}

// buildVersion returns the version of the running program.
func buildVersion() version {
	v := version{
		Version:  "(devel)",
		Go:       runtime.Version(),
		Platform: runtime.GOOS + "/" + runtime.GOARCH,
		Policy:   builtPolicy(),
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return v
	}
	if info.Main.Version != "" {
		v.Version = info.Main.Version
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			v.Revision = s.Value
		case "vcs.time":
			v.Time = s.Value
		case "vcs.modified":
			v.Modified = s.Value == "true"
		}
	}
	return v
}

// String returns v on one line, such as
// "skynet v1.2.0 (3f9a1c7d2b60, modified) go1.26.0 linux/amd64".
func (v version) String() string { return fmt.Sprintf("%s %s %s", v.short(), v.Go, v.Platform) }

// short returns v as far as results depend on it: not on compiler and platform.
func (v version) short() string {
	revision := ""
	if v.Revision != "" {
		revision = " (" + v.Revision[:min(12, len(v.Revision))]
		if v.Modified {
			revision += ", modified"
		}
		revision += ")"
	}
	return "skynet " + v.Version + revision
}

func newVersionCommand(a *app) *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "version",
		Short: "print which skynet this is",
		Args:  exactArgs(),
		RunE: func(*cobra.Command, []string) error {
			v := buildVersion()
			if asJSON {
				encoder := json.NewEncoder(a.stdout)
				encoder.SetIndent("", "  ")
				return encoder.Encode(v)
			}
			_, err := fmt.Fprintf(a.stdout, "%s\n%s\n", v, v.Policy)
			return err
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}
