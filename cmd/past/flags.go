package past

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/skynet-ec2/skynet/cmd/cli"
	"github.com/skynet-ec2/skynet/live/api"
	"github.com/skynet-ec2/skynet/scenarios/incident"

	"github.com/spf13/cobra"
)

// Flags say which time is meant.
type Flags struct {
	from, to string
	lead     time.Duration
}

// Add defines the flags of c.
func (f *Flags) Add(c *cobra.Command, lead time.Duration) {
	flags := c.Flags()
	flags.StringVar(&f.from, "from", "", "judged from this `instant` on, such as 2026-01-31T18:00:00Z")
	flags.StringVar(&f.to, "to", "", "and before this `instant`")
	flags.DurationVar(&f.lead, "lead", lead, "simulate this much `time` before as well, for the controller to learn in; it is not judged")
}

// Span returns the time that the flags name. Without any it is the day before
// now, in UTC.
func (f *Flags) Span(now time.Time) (s incident.Span, err error) {
	day := now.UTC().Truncate(24 * time.Hour)
	s.From, s.To = day.Add(-24*time.Hour), day
	for _, x := range []struct {
		flag, text string
		into       *time.Time
	}{{"--from", f.from, &s.From}, {"--to", f.to, &s.To}} {
		if x.text == "" {
			continue
		}
		if *x.into, err = time.Parse(time.RFC3339, x.text); err != nil {
			return s, cli.UsageError(fmt.Errorf("%s %q: must be an instant such as 2026-01-31T18:00:00Z", x.flag, x.text))
		}
	}
	switch {
	case !s.From.Before(s.To):
		return s, cli.UsageError(errors.New("--to: must lie after --from"))
	case f.lead < 0 || f.lead > 7*24*time.Hour:
		return s, cli.UsageError(fmt.Errorf("--lead %v: must be from 0s to 168h", f.lead))
	}
	s.Start = s.From.Add(-f.lead)
	return s, nil
}

// Require refuses flags that name no time.
func (f *Flags) Require() error {
	if f.from == "" || f.to == "" {
		return cli.UsageError(errors.New("--from and --to must be given: the time that is meant"))
	}
	return nil
}

// HistoryFile returns the history in a file of lines, as GET /v1/history with
// format=ndjson answers it.
func HistoryFile(path string) func(time.Time, func(api.Finished) error) error {
	return func(from time.Time, yield func(api.Finished) error) error {
		f, err := openFile(path)
		if err != nil {
			if errors.Is(err, os.ErrNotExist) {
				return badInput{err}
			}
			return err
		}
		defer f.Close()
		lines := bufio.NewScanner(f)
		lines.Buffer(nil, 1<<20)
		for n := 1; lines.Scan(); n++ {
			var job api.Finished
			if err := api.Unmarshal(lines.Bytes(), &job); err != nil {
				return badInput{fmt.Errorf("%s:%d: %w", path, n, err)}
			}
			if job.FinishedAt.Before(from) {
				continue
			}
			if err := yield(job); err != nil {
				return err
			}
		}
		return lines.Err()
	}
}
