package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"runtime"
	"strconv"

	"github.com/spf13/pflag"

	"github.com/skynet-ec2/skynet/cmd/cli"
	"github.com/skynet-ec2/skynet/live/client"
	"github.com/skynet-ec2/skynet/live/instance"
	"github.com/skynet-ec2/skynet/policy"
)

// instanceFlags say what the instance is, and where that is to be learned.
type instanceFlags struct {
	ec2          bool
	userDataFile string
	queue        string
	cluster      string
	roles        []string
	slots        int
	name         string
	kind         string
}

func (f *instanceFlags) add(flags *pflag.FlagSet) {
	flags.StringVar(&f.queue, "queue", "", "`URL` of the queue; default: SKYNET_URL, else "+client.DefaultURL)
	flags.StringVar(&f.cluster, "cluster", "", "belong to this `cluster`: a queue of another one refuses the worker; default: "+instance.DefaultCluster)
	flags.StringSliceVar(&f.roles, "role", nil, "a `role` of this worker, that directives may name; may be repeated")
	flags.IntVar(&f.slots, "slots", 0, "do so many `jobs` at once; default: SKYNET_INSTANCE_SLOTS, else as many as the instance type has slots, else processors")
	flags.BoolVar(&f.ec2, "ec2", false, "learn identity, user-data and notices from EC2's metadata service")
	flags.StringVar(&f.userDataFile, "user-data", "", "read user-data from this `file`, not from EC2")
	flags.StringVar(&f.name, "instance", "", "call this instance so; default: SKYNET_INSTANCE_ID, EC2's id, else the host's `name`")
	flags.StringVar(&f.kind, "instance-type", "", "the instance's `type`; default: SKYNET_INSTANCE_TYPE, else EC2's word")
}

// settings are what is known of the instance before it does anything.
type settings struct {
	instance.UserData
	identity instance.Identity
	metadata *instance.Metadata // nil off EC2
}

// learn returns the settings: flags before environment before user-data.
func (f *instanceFlags) learn(ctx context.Context) (settings, error) {
	var s settings
	var err error
	if f.ec2 {
		if s.metadata, err = instance.Open(ctx); err != nil {
			return s, cli.OutsideError(err)
		}
		if s.identity, err = s.metadata.Identity(ctx); err != nil {
			return s, cli.OutsideError(err)
		}
	}
	switch {
	case f.userDataFile != "":
		text, err := os.ReadFile(f.userDataFile)
		if err != nil {
			return s, err
		}
		if s.UserData, err = instance.ParseUserData(f.userDataFile, text); err != nil {
			return s, cli.InputError(err)
		}
	case f.ec2:
		if s.UserData, err = s.metadata.UserData(ctx); err != nil {
			return s, cli.InputError(err)
		}
	}
	s.Queue = first(f.queue, os.Getenv(client.EnvURL), s.Queue, client.DefaultURL)
	s.Cluster = first(f.cluster, s.Cluster, instance.DefaultCluster)
	if len(f.roles) > 0 {
		s.Roles = f.roles
	}
	host, _ := os.Hostname()
	s.identity.ID = first(f.name, os.Getenv("SKYNET_INSTANCE_ID"), s.identity.ID, host, "unnamed")
	s.identity.Type = first(f.kind, os.Getenv("SKYNET_INSTANCE_TYPE"), s.identity.Type)
	s.identity.Zone = first(os.Getenv("SKYNET_INSTANCE_ZONE"), s.identity.Zone)
	s.identity.Market = first(os.Getenv("SKYNET_INSTANCE_MARKET"), s.identity.Market)
	given, err := slotsGiven()
	if err != nil {
		return s, err
	}
	if f.slots < 0 || f.slots > slotsMax {
		return s, cli.UsageError(fmt.Errorf("--slots %d: must be from 1 to %d", f.slots, slotsMax))
	}
	for _, n := range []int{f.slots, given, s.Slots, slotsOf(s.identity.Type), runtime.NumCPU()} {
		if n > 0 {
			s.Slots = n
			break
		}
	}
	return s, nil
}

// slotsMax bounds the jobs that one worker does at once.
const slotsMax = 1000

// slotsGiven returns what the environment says of slots, or 0.
func slotsGiven() (int, error) {
	text := os.Getenv("SKYNET_INSTANCE_SLOTS")
	if text == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > slotsMax {
		return 0, cli.InputError(fmt.Errorf("SKYNET_INSTANCE_SLOTS=%q: must be from 1 to %d", text, slotsMax))
	}
	return n, nil
}

// first returns the first word that is not empty.
func first(words ...string) string {
	for _, w := range words {
		if w != "" {
			return w
		}
	}
	return ""
}

// typeOf returns an instance type of a known catalog, the newest first.
func typeOf(name string) (t policy.InstanceType, catalog string, known bool) {
	names := policy.CatalogNames()
	for i := len(names) - 1; i >= 0; i-- {
		c, _ := policy.CatalogByName(names[i])
		if j := c.Index(name); j >= 0 {
			return c.Types[j], c.Name, true
		}
	}
	return policy.InstanceType{}, "", false
}

func slotsOf(name string) int {
	t, _, _ := typeOf(name)
	return t.Slots
}

// onLoopback reports whether a URL leads to this very machine.
func onLoopback(address string) bool {
	u, err := url.Parse(address)
	if err != nil {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
}

var errNoToken = errors.New("no token: set SKYNET_TOKEN, start in the folder of the queue's token file, or use --auth")

// fileURI returns the address of a file with an absolute path.
func fileURI(path string) string { return (&url.URL{Scheme: "file", Path: path}).String() }
