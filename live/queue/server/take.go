package server

import (
	"bytes"
	"fmt"
	"strconv"

	"github.com/skynet-ec2/skynet/live/api"
)

// take reads the body of a call into a T and checks it.
func take[T any](c *call, most int64, check func(*problems, *T)) (T, error) {
	var v T
	if _, err := mediaType(c.r, false); err != nil {
		return v, err
	}
	err := readBody(c.w, c.r, most, func(body []byte) error { return decode(body, &v, c.Lenient, "") })
	if err != nil {
		return v, err
	}
	var p problems
	check(&p, &v)
	return v, p.err()
}

// takeBatch reads the jobs of a batch, as JSON or a line each.
func takeBatch(c *call) ([]api.JobSpec, error) {
	media, err := mediaType(c.r, true)
	if err != nil {
		return nil, err
	}
	var batch api.BatchRequest
	err = readBody(c.w, c.r, api.BodyMaxBytes, func(body []byte) error {
		if media != lines {
			return decode(body, &batch, c.Lenient, "")
		}
		for line := range bytes.Lines(body) {
			if line = bytes.TrimSpace(line); len(line) == 0 {
				continue
			}
			if len(batch.Jobs) == api.BatchMax {
				return tooManyJobs(api.BatchMax + 1)
			}
			var job api.JobSpec
			if err := decode(line, &job, c.Lenient, fmt.Sprintf("jobs[%d]", len(batch.Jobs))); err != nil {
				return err
			}
			batch.Jobs = append(batch.Jobs, job)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if len(batch.Jobs) == 0 {
		return nil, &api.Error{Code: api.CodeRequired, Field: "jobs", Message: "jobs must be given, at least one"}
	}
	if n := len(batch.Jobs); n > api.BatchMax {
		return nil, tooManyJobs(n)
	}
	var p problems
	for i := range batch.Jobs {
		checkSpec(&p, fmt.Sprintf("jobs[%d].", i), &batch.Jobs[i])
	}
	return batch.Jobs, p.err()
}

func tooManyJobs(n int) error {
	bound := float64(api.BatchMax)
	return &api.Error{Code: api.CodeTooLarge, Field: "jobs", Max: &bound, Message: fmt.Sprintf("jobs has %d entries or more, a batch has at most %d", n, api.BatchMax)}
}

// id returns a number in the path.
func (c *call) id(name string) (int64, error) {
	n, err := strconv.ParseInt(c.r.PathValue(name), 10, 64)
	if err != nil || n < 1 || n > api.IDMax {
		low, high := 1.0, float64(api.IDMax)
		return 0, &api.Error{Code: api.CodeInvalid, Field: name, Min: &low, Max: &high, Message: fmt.Sprintf("%s %q: must be a whole number from 1", name, cut(c.r.PathValue(name), 40))}
	}
	return n, nil
}

// word returns a name in the path.
func (c *call) word(name string) (string, error) {
	value := c.r.PathValue(name)
	var p problems
	p.name(name, value, true)
	return value, p.err()
}
