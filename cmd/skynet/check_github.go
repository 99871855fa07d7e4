package main

import (
	"errors"

	"github.com/skynet-ec2/skynet/reports/github"
)

// tellGitHub comments on the workflow's pull request. Where that is not allowed,
// as to a pull request from a fork, the text goes to the job's summary instead;
// so it does where GitHub does not answer, which is an error all the same.
func (a *app) tellGitHub(w *github.Workflow, marker, text string) error {
	why := w.WhyNoComment()
	var failed error
	if why == "" {
		err := w.Comment(a.ctx, marker, text)
		var denied *github.DeniedError
		switch {
		case err == nil:
			return nil
		case a.ctx.Err() != nil:
			return err
		case !errors.As(err, &denied):
			failed = outsideError(err)
		}
		why = err.Error()
	}
	if w.Summary == "" {
		a.log.Warn("no comment was written, and there is no job summary to write to", "why", why)
		return failed
	}
	a.log.Info("the job's summary has what would be the comment", "why", why)
	return errors.Join(failed, w.AppendSummary(text))
}
