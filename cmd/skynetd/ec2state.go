package main

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/skynet-ec2/skynet/cmd/cli"
	"github.com/skynet-ec2/skynet/sim/cloud"
	"github.com/skynet-ec2/skynet/sim/ec2api"
)

// regionState is the file that a simulated region is kept in: a line that says
// what region it is, and then a line for every change.
type regionState struct {
	file *os.File
	path string
}

// stateHead is the first line.
type stateHead struct {
	Region string `json:"region"` // digest of what it was made with
	ec2api.Mark
}

// digestOf tells one region's configuration from another's, but for when it
// began.
func digestOf(c cloud.Config) string {
	c.Start = time.Time{}
	text, err := json.Marshal(struct {
		cloud.Config
		World any
	}{c, c.World})
	if err != nil {
		panic(err) // plain data
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])[:16]
}

// templateName is the launch template that every region begins with.
const templateName = "skynet-worker"

// newRegion returns a region that has the launch template.
func newRegion(c cloud.Config) (*cloud.Cloud, error) {
	region, err := cloud.New(c)
	if err != nil {
		return nil, err
	}
	spec := cloud.Spec{Image: region.Image().ID, Shutdown: "terminate", Profile: templateName}
	if _, err := region.CreateTemplate(templateName, "made by ec2sim", "", "", spec, nil, false); err != nil {
		return nil, err
	}
	return region, nil
}

// openRegion returns the region of a configuration and its clock: new, or as the
// state file at path says, if there is one. Without a path nothing is kept.
func openRegion(path string, c cloud.Config, speed float64) (*cloud.Cloud, *fastClock, *regionState, error) {
	if path == "" {
		clock := newFastClock(time.Now(), speed)
		c.Start = clock.Now()
		region, err := newRegion(c)
		return region, clock, nil, err
	}
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, nil, nil, err
	}
	state := &regionState{file, path}
	region, clock, err := state.restore(c, speed)
	if err != nil {
		file.Close()
		return nil, nil, nil, cli.InputError(fmt.Errorf("%s: %w", path, err))
	}
	return region, clock, state, nil
}

// restore reads the file, or begins it.
func (s *regionState) restore(c cloud.Config, speed float64) (*cloud.Cloud, *fastClock, error) {
	lines := bufio.NewReader(s.file)
	first, err := lines.ReadBytes('\n')
	if errors.Is(err, io.EOF) { // new, or cut short before it began
		return s.begin(c, speed)
	}
	if err != nil {
		return nil, nil, err
	}
	var head stateHead
	if err := json.Unmarshal(first, &head); err != nil {
		return nil, nil, fmt.Errorf("line 1: %w", err)
	}
	if head.Region != digestOf(c) {
		return nil, nil, errors.New("it is the state of another scenario, seed or account: remove it to begin anew")
	}
	c.Start = head.At
	region, err := newRegion(c)
	if err != nil {
		return nil, nil, err
	}
	last, good, err := ec2api.Restore(region, lines)
	if err != nil {
		return nil, nil, fmt.Errorf("after line 1: %w", err)
	}
	if last.At.IsZero() {
		last = head.Mark
	}
	end := int64(len(first)) + good
	if err := s.file.Truncate(end); err != nil {
		return nil, nil, err
	}
	if _, err := s.file.Seek(end, io.SeekStart); err != nil {
		return nil, nil, err
	}
	// time went on while nobody looked
	missed := time.Duration(float64(time.Since(last.Wall)) * last.Speed)
	return region, newFastClock(last.At.Add(max(missed, 0)), speed), nil
}

// begin writes the first line.
func (s *regionState) begin(c cloud.Config, speed float64) (*cloud.Cloud, *fastClock, error) {
	clock := newFastClock(time.Now(), speed)
	c.Start = clock.Now()
	region, err := newRegion(c)
	if err != nil {
		return nil, nil, err
	}
	line, err := json.Marshal(stateHead{digestOf(c), ec2api.Mark{At: c.Start, Wall: time.Now(), Speed: speed}})
	if err != nil {
		return nil, nil, err
	}
	if err := s.file.Truncate(0); err != nil {
		return nil, nil, err
	}
	if _, err := s.file.WriteAt(append(line, '\n'), 0); err != nil {
		return nil, nil, err
	}
	_, err = s.file.Seek(0, io.SeekEnd)
	return region, clock, err
}
