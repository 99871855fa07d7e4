package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"math"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/skynet-ec2/skynet/cmd/cli"
	"github.com/skynet-ec2/skynet/live/access"
	"github.com/skynet-ec2/skynet/live/api"
	"github.com/skynet-ec2/skynet/live/client"
	"github.com/skynet-ec2/skynet/sim/ec2api"

	"github.com/spf13/cobra"
)

// demoVerb holds the flags of skynetd demo.
type demoVerb struct {
	*cli.App
	folder, worker string
	lasts          time.Duration
}

func newDemoCommand(a *cli.App) *cobra.Command {
	v := &demoVerb{App: a}
	c := &cobra.Command{
		Use:   "demo",
		Short: "run all of it on this machine, with a simulated EC2",
		Long: `Run all of SkyNet on this machine: a queue, a simulated EC2 whose instances are
real worker processes with a boot lag and a bill, the controller that launches
and ends them, and users whose uploads come and go in waves. A minute of the demo
is a quarter of an hour of a photo site: instances boot in 5 seconds, the
controller decides every 10, and the crowd comes and goes in four minutes, with the
fleet behind it. The policy lets instances go from the second minute on: its
release_after, ten minutes by default, is one here.

Kill any of its processes, with kill -9: it comes back, and every job is done. Stop
the fleet, ask for a floor, deploy a policy: skynet does to it what it does to one on
EC2, once it is told where it is by the line that the demo prints.
Everything lies in one folder; Ctrl-C ends it.`,
		Args: cli.ExactArgs(),
		RunE: func(*cobra.Command, []string) error { return v.run() },
	}
	f := c.Flags()
	f.StringVar(&v.folder, "folder", "skynet-demo", "keep everything in this `folder`")
	f.StringVar(&v.worker, "worker", "", "the skynet-worker `program`; default: beside this program, on the PATH, or built with go")
	f.DurationVar(&v.lasts, "for", 0, "end after this `time`; 0: on Ctrl-C")
	return c
}

// demoScenario is the demo's world: what is promised, sold and allowed.
const demoScenario = `title    = "A demonstration: seconds for minutes"
tick     = "10s"
duration = "1h"

[generate] # what simulate plays; the demo has its own users
model = "poisson"
[[generate.stream]]
type       = "resize"
per_second = 1.0
service    = { mean = "300ms" }
[[generate.stream]]
type       = "video"
per_second = 0.6
service    = { mean = "3s" }

[[class]]
name   = "photos"
type   = "resize"
target = "20s"
attain = 0.9

[[class]]
name   = "videos"
type   = "video"
target = "30s"
attain = 0.9

[cloud]
billing       = "per-second"
boot          = { model = "fixed", value = "5s" }
max_instances = 8
[[cloud.type]]
name         = "demo.one"
cores        = 1
speed        = 1.0
usd_per_hour = 0.10

[guard]
launch_max = 3
fleet_max  = 8

[policy] # as fast as the crowds are
name          = "skynet"
release_after = "1m"
tau           = "30s"
`

// demoHandlers are what the demo's workers do. Photos are real; a video only takes
// its time, so that any machine has processors enough for the fleet.
const demoHandlers = `[[handler]]
type    = "resize"
builtin = "resize"

[[handler]]
type    = "video"
command = ["sh", "-c", "sleep 3 && echo 720p > \"$SKYNET_OUTPUT/720p.txt\""]
`

const demoFleet = `fleet    = "demo"
scenario = "demo.toml"
queue    = %q
tokens   = "tokens"
store    = "sqlite:controller.db"

[ec2]
cluster = "default"
region  = "us-east-1"
image   = %q
`

// demo is a demo that runs.
type demo struct {
	*demoVerb
	program                string
	queue, ec2, controller string   // addresses
	held                   *os.File // while it runs no other demo begins in the folder
	alive                  *os.File // read by its processes: it ends when the demo does
	env                    []string
	failed                 chan error
	started                time.Time
	submitted              int // jobs that the queue has taken
	photos                 []string
}

func (v *demoVerb) run() error {
	if v.lasts < 0 {
		return cli.UsageError(fmt.Errorf("--for %v: must not be negative", v.lasts))
	}
	d := &demo{demoVerb: v, failed: make(chan error, 8), started: time.Now()}
	ctx, cancel := context.WithCancel(v.Ctx)
	defer cancel()
	if v.lasts > 0 {
		ctx, cancel = context.WithTimeout(ctx, v.lasts)
		defer cancel()
	}
	defer func() {
		if d.held != nil {
			d.held.Close()
		}
	}()
	if err := d.prepare(ctx); err != nil {
		return err
	}
	read, write, err := os.Pipe()
	if err != nil {
		return cli.OutsideError(err)
	}
	d.alive = read
	defer read.Close()
	defer write.Close()
	ended := make(chan struct{}, 3)
	running := 0
	start := func(name string, args ...string) {
		running++
		go func() {
			d.keep(ctx, name, args)
			ended <- struct{}{}
		}()
	}
	defer func() {
		cancel()
		for range running {
			<-ended
		}
	}()
	start("queue", "queue", "--listen", d.queue, "--store", "sqlite:queue.db", "--tokens", "tokens", "--controller", "http://"+d.controller)
	if err := d.await(ctx, "queue.log", regexp.MustCompile(`queue leads`)); err != nil {
		return err
	}
	start("ec2sim", "ec2sim", "--listen", d.ec2, "--scenario", "demo.toml", "--state", "ec2.json", "--worker",
		fmt.Sprintf("%s run --queue http://%s --tokens tokens --handlers handlers.toml --results results --slots 1 --orphan-after 0", d.worker, d.queue))
	if err := d.await(ctx, "ec2sim.log", regexp.MustCompile(`IMAGE=(ami-[0-9a-f]+)`)); err != nil {
		return err
	}
	start("controller", "controller", "--mode", "active", "--listen", d.controller)
	return d.follow(ctx)
}

// prepare makes the folder, and finds what the demo is made of.
func (d *demo) prepare(ctx context.Context) error {
	var err error
	if d.program, err = os.Executable(); err != nil {
		return err
	}
	if d.folder, err = filepath.Abs(d.folder); err != nil {
		return err
	}
	if fileExists(filepath.Join(d.folder, "queue.db")) && !fileExists(filepath.Join(d.folder, "demo.toml")) {
		return cli.InputError(fmt.Errorf("--folder %s: holds a queue.db that is not a demo's, and a demo begins by removing it: give another folder", d.folder))
	}
	if err := os.MkdirAll(filepath.Join(d.folder, "photos"), 0o755); err != nil {
		return err
	}
	held, err := lock(filepath.Join(d.folder, "demo.lock"))
	if errors.Is(err, errLocked) {
		return cli.InputError(fmt.Errorf("--folder %s: a demo runs there, and another would remove its databases: give another folder", d.folder))
	}
	if err != nil {
		return cli.OutsideError(err)
	}
	d.held = held
	for _, address := range []*string{&d.queue, &d.ec2, &d.controller} {
		if *address, err = freeAddress(); err != nil {
			return cli.OutsideError(err)
		}
	}
	d.env = append(os.Environ(),
		"AWS_ENDPOINT_URL_EC2=http://"+d.ec2, "AWS_ENDPOINT_URL_STS=http://"+d.ec2, "AWS_REGION=us-east-1",
		"AWS_ACCESS_KEY_ID="+ec2api.TestAccessKey, "AWS_SECRET_ACCESS_KEY="+ec2api.TestSecretKey)
	// what an earlier demo left has other addresses
	for _, old := range []string{"queue.db", "queue.db-wal", "queue.db-shm", "controller.db", "controller.db-wal", "controller.db-shm", "ec2.json", "queue.log", "ec2sim.log", "controller.log", "skynet-stop.json"} {
		os.Remove(filepath.Join(d.folder, old))
	}
	for name, text := range map[string]string{"demo.toml": demoScenario, "handlers.toml": demoHandlers} {
		if err := os.WriteFile(filepath.Join(d.folder, name), []byte(text), 0o644); err != nil {
			return cli.OutsideError(err)
		}
	}
	if err := d.findWorker(ctx); err != nil {
		return err
	}
	return d.takePhotos()
}

// freeAddress returns a loopback address that nobody listens at.
func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

// findWorker finds skynet-worker, or builds it where this is a clone.
func (d *demo) findWorker(ctx context.Context) error {
	const name = "skynet-worker"
	if d.worker != "" {
		path, err := exec.LookPath(d.worker)
		if err != nil {
			return cli.InputError(fmt.Errorf("--worker %s: there is no such program", d.worker))
		}
		d.worker, err = filepath.Abs(path)
		return err
	}
	if beside := filepath.Join(filepath.Dir(d.program), name); fileExists(beside) {
		d.worker = beside
		return nil
	}
	if path, err := exec.LookPath(name); err == nil {
		d.worker = path
		return nil
	}
	d.worker = filepath.Join(d.folder, name)
	fmt.Fprintf(d.Stdout, "building %s\n", name)
	build := exec.CommandContext(ctx, "go", "build", "-o", d.worker, "./cmd/"+name)
	if out, err := build.CombinedOutput(); err != nil {
		return cli.InputError(fmt.Errorf("no %s beside this program or on the PATH, and it cannot be built here (%w); give --worker\n%s", name, err, bytes.TrimSpace(out)))
	}
	return nil
}

func fileExists(name string) bool {
	s, err := os.Stat(name)
	return err == nil && s.Mode().IsRegular()
}

// takePhotos paints some.
func (d *demo) takePhotos() error {
	for n := range 6 {
		picture := image.NewRGBA(image.Rect(0, 0, 1600, 1200))
		for y := range 1200 {
			for x := range 1600 {
				wave := math.Sin(float64(x)/float64(40+10*n)) * math.Cos(float64(y)/60)
				picture.SetRGBA(x, y, color.RGBA{uint8(128 + 100*wave), uint8(x * 255 / 1600), uint8(y * 255 / 1200), 255})
			}
		}
		var file bytes.Buffer
		if err := jpeg.Encode(&file, picture, nil); err != nil {
			return err
		}
		path := filepath.Join(d.folder, "photos", fmt.Sprintf("photo-%d.jpg", n))
		if err := os.WriteFile(path, file.Bytes(), 0o644); err != nil {
			return cli.OutsideError(err)
		}
		d.photos = append(d.photos, path)
	}
	return nil
}

// A process of the demo that dies so often, each time within so short a time of
// its start, does not come back.
const (
	deathsMost = 10
	lifeShort  = 3 * time.Second
)

// keep runs one of the demo's processes until ctx ends, again and again however
// it dies.
func (d *demo) keep(ctx context.Context, name string, args []string) {
	log, err := os.OpenFile(filepath.Join(d.folder, name+".log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		d.failed <- cli.OutsideError(err)
		return
	}
	defer log.Close()
	for deaths := 1; ; deaths++ {
		began := time.Now()
		c := exec.Command(d.program, args...)
		c.Dir, c.Env, c.Stdout, c.Stderr = d.folder, d.env, log, log
		c.ExtraFiles = []*os.File{d.held} // what outlives the demo keeps another one out
		tie(c, d.alive)
		ownGroup(c)
		if err := c.Start(); err != nil {
			d.failed <- cli.OutsideError(fmt.Errorf("%s: %w", name, err))
			return
		}
		gone := make(chan error, 1)
		go func() { gone <- c.Wait() }()
		select {
		case <-ctx.Done():
			c.Process.Signal(os.Interrupt)
			select {
			case <-gone:
			case <-time.After(10 * time.Second):
				c.Process.Kill()
				<-gone
			}
			return
		case err := <-gone:
			if time.Since(began) > lifeShort {
				deaths = 0
			}
			if deaths == deathsMost {
				d.failed <- cli.OutsideError(fmt.Errorf("%s has ended %d times in a row, last with %w: see %s", name, deaths, err, log.Name()))
				return
			}
			fmt.Fprintf(d.Stdout, "%s has ended (%v) and is started again\n", name, err)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(time.Second):
		}
	}
}

// await waits until a log says something. What ec2sim says becomes the fleet's
// file.
func (d *demo) await(ctx context.Context, log string, words *regexp.Regexp) error {
	deadline := time.After(30 * time.Second)
	for {
		text, _ := os.ReadFile(filepath.Join(d.folder, log))
		if found := words.FindSubmatch(text); found != nil {
			if len(found) < 2 {
				return nil
			}
			file := fmt.Sprintf(demoFleet, "http://"+d.queue, found[1])
			return os.WriteFile(filepath.Join(d.folder, "skynet.toml"), []byte(file), 0o644)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case err := <-d.failed:
			return err
		case <-deadline:
			return cli.OutsideError(fmt.Errorf("%s does not say %q:\n%s", filepath.Join(d.folder, log), words, text))
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// follow uploads photos in waves, and says how it goes, until ctx ends.
func (d *demo) follow(ctx context.Context) error {
	token, err := d.token()
	if err != nil {
		return err
	}
	q, err := client.New(client.Options{URL: "http://" + d.queue, Token: token})
	if err != nil {
		return err
	}
	fmt.Fprintf(d.Stdout, "fleet: http://%[1]s/fleet   queue: http://%[1]s/   token: %[2]s\nlogs, journal and results: %[3]s   Ctrl-C ends it\nfor skynet, in another shell: cd %[3]s; export SKYNET_URL=http://%[1]s SKYNET_CONTROLLER=http://%[4]s SKYNET_TOKEN=%[2]s\n", d.queue, token, d.folder, d.controller)
	second := time.NewTicker(time.Second)
	defer second.Stop()
	photos, videos := newPhotos(), newVideos()
	for n := 0; ; n++ {
		select {
		case <-ctx.Done():
			if d.Ctx.Err() == nil { // it was to end
				return nil
			}
			return d.Ctx.Err()
		case err := <-d.failed:
			return err
		case <-second.C:
		}
		var jobs []api.JobSpec
		for range videos.due(n) {
			jobs = append(jobs, api.JobSpec{Type: "video"})
		}
		for range photos.due(n) {
			photo := d.photos[(d.submitted+len(jobs))%len(d.photos)]
			jobs = append(jobs, api.JobSpec{
				Type: "resize",
				Args: fmt.Appendf(nil, `{"input":"file://%s","name":%q,"sizes":[{"name":"thumb","width":150,"height":150},{"name":"large","width":1024,"height":1024}]}`, photo, filepath.Base(photo)),
			})
		}
		if len(jobs) > 0 {
			if _, err := q.SubmitAll(ctx, jobs); err != nil && ctx.Err() == nil {
				fmt.Fprintf(d.Stdout, "the queue takes nothing: %v\n", err)
				continue
			}
			d.submitted += len(jobs)
		}
		if n%5 == 4 {
			d.say(ctx, q)
		}
	}
}

// A wave is an upload rate that rises and falls.
type wave struct {
	least, most float64 // jobs a second
	owed        float64 // less than one
}

// waveLasts is from one low to the next, in seconds: an hour of a photo site.
const waveLasts = 240

// newPhotos and newVideos are what the demo's users upload.
func newPhotos() wave { return wave{least: 0.4, most: 2} }
func newVideos() wave { return wave{least: 0.1, most: 1.2} }

// due returns how many jobs come in the n-th second.
func (w *wave) due(n int) (jobs int) {
	w.owed += w.least + (w.most-w.least)/2*(1-math.Cos(2*math.Pi*float64(n)/waveLasts))
	jobs = int(w.owed)
	w.owed -= float64(jobs)
	return jobs
}

// token returns the operator's token.
func (d *demo) token() (string, error) {
	entries, err := access.ReadFile(filepath.Join(d.folder, "tokens"))
	if err != nil {
		return "", err
	}
	for _, e := range entries {
		if e.Caller.Role == api.RoleOperator && e.Plain != "" {
			return e.Plain, nil
		}
	}
	return "", errors.New("the demo's token file holds no operator token")
}

// held returns how many jobs the queue has that are not done. Its totals lack what
// was done in the last seconds before it was killed.
func held(s api.Stats) (jobs int) {
	for state, n := range s.States {
		if state != api.StateDone && state != api.StateCancelled {
			jobs += int(n)
		}
	}
	return jobs
}

// say prints how it goes, in a line.
func (d *demo) say(ctx context.Context, q *client.Client) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	s, err := q.RetryFor(0).Stats(ctx)
	if err != nil {
		return
	}
	bar := strings.Repeat("█", int(s.Workers.SlotsBusy)) + strings.Repeat("░", max(0, int(s.Workers.Slots-s.Workers.SlotsBusy)))
	fmt.Fprintf(d.Stdout, "%6s  submitted %5d  waiting %3d  done %5d  fleet %d %s\n",
		time.Since(d.started).Round(time.Second), d.submitted, s.States[api.StateWaiting], d.submitted-held(s), s.Workers.Workers, bar)
}
