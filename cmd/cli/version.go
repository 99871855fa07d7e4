package cli

import (
	"encoding/json"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// Version says which program this is, as far as its build recorded it.
type Version struct {
	Program  string `json:"program"`
	Version  string `json:"version"`            // of the module; "(devel)" when built from a work tree
	Revision string `json:"revision,omitempty"` // of the repository
	Time     string `json:"time,omitempty"`     // of that revision, RFC 3339
	Modified bool   `json:"modified,omitempty"` // the work tree differed from the revision
	Go       string `json:"go"`
	Platform string `json:"platform"` // operating system/architecture
}

// BuildVersion returns the version of the running program, which has the given
// name.
func BuildVersion(program string) Version {
	v := Version{
		Program:  program,
		Version:  "(devel)",
		Go:       runtime.Version(),
		Platform: runtime.GOOS + "/" + runtime.GOARCH,
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
func (v Version) String() string { return fmt.Sprintf("%s %s %s", v.Short(), v.Go, v.Platform) }

// Short returns v as far as results depend on it: not on compiler and platform.
func (v Version) Short() string {
	revision := ""
	if v.Revision != "" {
		revision = " (" + v.Revision[:min(12, len(v.Revision))]
		if v.Modified {
			revision += ", modified"
		}
		revision += ")"
	}
	return v.Program + " " + v.Version + revision
}

// NewVersionCommand returns the verb that prints which program this is.
func NewVersionCommand(a *App) *cobra.Command {
	return VersionCommand(a, func() fmt.Stringer { return BuildVersion(a.Program.Name) })
}

// VersionCommand is NewVersionCommand for a program that has more to say: what
// version returns is printed as it is, or as JSON.
func VersionCommand(a *App, version func() fmt.Stringer) *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "version",
		Short: "print which " + a.Program.Name + " this is",
		Args:  ExactArgs(),
		RunE: func(*cobra.Command, []string) error {
			v := version()
			if asJSON {
				encoder := json.NewEncoder(a.Stdout)
				encoder.SetIndent("", "  ")
				return encoder.Encode(v)
			}
			_, err := fmt.Fprintln(a.Stdout, v)
			return err
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}
