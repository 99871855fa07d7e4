package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"

	"github.com/skynet-ec2/skynet/cmd/cli"
	"github.com/skynet-ec2/skynet/live/alert"
	"github.com/skynet-ec2/skynet/live/controller"
	"github.com/skynet-ec2/skynet/live/objects"
	"github.com/skynet-ec2/skynet/live/provider"
	"github.com/skynet-ec2/skynet/live/secret"
	"github.com/skynet-ec2/skynet/live/source"
	"github.com/skynet-ec2/skynet/live/source/prometheus"
	"github.com/skynet-ec2/skynet/live/source/sqs"
	"github.com/skynet-ec2/skynet/live/statuspage"
	"github.com/skynet-ec2/skynet/scenarios"
)

// accountOf returns the AWS account as the environment says, in the file's region.
func accountOf(ctx context.Context, file *scenarios.Fleet) (aws.Config, error) {
	var options []func(*config.LoadOptions) error
	if file.EC2.Region != "" {
		options = append(options, config.WithRegion(file.EC2.Region))
	}
	account, err := config.LoadDefaultConfig(ctx, options...)
	if err != nil {
		return account, cli.OutsideError(fmt.Errorf("AWS configuration: %w", err))
	}
	return account, nil
}

// secretOf returns the secret that a key of the file names the place of; none if the
// file does not have the key.
func (v *controllerVerb) secretOf(file *scenarios.Fleet, key, ref string) (secret.Value, error) {
	if ref == "" {
		return secret.Value{}, nil
	}
	ctx, cancel := context.WithTimeout(v.Ctx, 15*time.Second)
	defer cancel()
	value, err := secret.Load(ctx, ref)
	if err != nil {
		return value, cli.InputError(fmt.Errorf("%s: %s: %w", file.Path, key, err))
	}
	return value, nil
}

// addressOf returns a URL that stands in the file, or in a secret.
func (v *controllerVerb) addressOf(file *scenarios.Fleet, key, url, ref string) (secret.Value, error) {
	if url != "" {
		return secret.Of(url), nil
	}
	return v.secretOf(file, key+".url_secret", ref)
}

// sourceOf makes the controller read the queue that the file's source names, and
// shows it the fleet that the controller sees.
func (v *controllerVerb) sourceOf(file *scenarios.Fleet, c *controller.Config) error {
	s := file.Source
	reader, err := v.readerOf(file)
	if err != nil {
		return err
	}
	config := source.Config{
		Reader: reader, Fleet: c.Observer, Catalog: &c.Env.Catalog, Log: v.Log,
		ReadyAfter: s.ReadyAfter, IdleAfter: s.IdleAfter, DrainGrace: s.DrainGrace, HoldZero: s.HoldZero,
	}
	for i := range s.Jobs {
		config.Kinds = append(config.Kinds, source.Kind{Type: s.Jobs[i].Type, Priority: s.Jobs[i].Priority, Service: s.Jobs[i].Service})
	}
	q, err := source.New(config)
	if err != nil {
		return cli.InputError(fmt.Errorf("%s: %w", file.Path, err))
	}
	c.Queue, c.Observer = q, q.Watch()
	return nil
}

// readerOf returns what reads the file's source.
func (v *controllerVerb) readerOf(file *scenarios.Fleet) (source.Reader, error) {
	s := file.Source
	if s.Kind == "sqs" {
		account, err := accountOf(v.Ctx, file)
		if err != nil {
			return nil, err
		}
		var urls []string
		for i := range s.Jobs {
			urls = append(urls, s.Jobs[i].Queue)
		}
		r, err := sqs.Open(account, sqs.Config{URLs: urls, CloudWatch: s.CloudWatch})
		if err != nil {
			return nil, cli.InputError(fmt.Errorf("%s: %w", file.Path, err))
		}
		return r, nil
	}
	token, err := v.secretOf(file, "source.token", s.Token)
	if err != nil {
		return nil, err
	}
	p := prometheus.Config{URL: s.URL, Token: token, Workers: s.Workers, Instance: s.Instance, AgeMax: s.AgeMax}
	for i := range s.Jobs {
		j := &s.Jobs[i]
		p.Kinds = append(p.Kinds, prometheus.Queries{
			Depth: j.Depth, InFlight: j.InFlight, OldestS: j.OldestS, ServiceS: j.ServiceS,
			Arrived: j.Arrived, ArrivedPerS: j.ArrivedPerS, Completed: j.Completed, CompletedPerS: j.CompletedPerS,
		})
	}
	r, err := prometheus.Open(p)
	if err != nil {
		return nil, cli.InputError(fmt.Errorf("%s: %w", file.Path, err))
	}
	return r, nil
}

// seen is what is shown every tick.
type seen = func(*controller.Controller, *controller.Result)

// seenBy shows every tick to all of them.
func seenBy(all ...seen) seen {
	all = slices.DeleteFunc(all, func(f seen) bool { return f == nil })
	return func(k *controller.Controller, r *controller.Result) {
		for _, f := range all {
			f(k, r)
		}
	}
}

// outside starts what tells others how the fleet fares, and what listens to the
// provider, as the file says. It ends with the program.
func (v *controllerVerb) outside(file *scenarios.Fleet, c *controller.Config) error {
	for _, start := range []func(*scenarios.Fleet, *controller.Config) error{v.listenToProvider, v.tellOfAlerts, v.ping, v.writeStatus} {
		if err := start(file, c); err != nil {
			return err
		}
	}
	return nil
}

// listenToProvider makes the provider's status an advice.
func (v *controllerVerb) listenToProvider(file *scenarios.Fleet, c *controller.Config) error {
	p := file.Provider
	if p == nil {
		return nil
	}
	var from provider.Source = provider.Feed{URL: p.Feed, Recent: p.Recent}
	if p.Kind == "health" {
		account, err := accountOf(v.Ctx, file)
		if err != nil {
			return err
		}
		region := p.Region
		if region == "" {
			region = account.Region
		}
		from = provider.Health{Account: account, Region: region}
	}
	w := provider.Watch(from, p.Every, v.Log)
	go w.Run(v.Ctx)
	ends, launches := slices.Contains(p.Hold, "terminations"), slices.Contains(p.Hold, "launches")
	c.Advise = func(now time.Time) controller.Advice {
		text := w.Status(now).String()
		if text == "" {
			return controller.Advice{}
		}
		return controller.Advice{Text: text, HoldEnds: ends, HoldLaunches: launches, LaunchMax: p.LaunchMax}
	}
	return nil
}

// tellOfAlerts starts the web hooks.
func (v *controllerVerb) tellOfAlerts(file *scenarios.Fleet, c *controller.Config) error {
	var senders []*alert.Sender
	for i := range file.Alerts {
		a, at := &file.Alerts[i], fmt.Sprintf("alert[%d]", i+1)
		to := alert.Receiver{Chat: a.Format == "slack", Again: a.Again}
		if a.Least == alert.Page.String() {
			to.Least = alert.Page
		}
		var err error
		if to.URL, err = v.addressOf(file, at, a.URL, a.Secret); err != nil {
			return err
		}
		if to.Key, err = v.secretOf(file, at+".key", a.Key); err != nil {
			return err
		}
		senders = append(senders, alert.NewSender(to, v.Log))
	}
	if senders == nil {
		return nil
	}
	w := alert.Watch(c, senders)
	c.Seen = seenBy(c.Seen, w.Saw)
	go w.Run(v.Ctx)
	for _, s := range senders {
		go s.Run(v.Ctx)
	}
	return nil
}

// ping starts the dead man's switch.
func (v *controllerVerb) ping(file *scenarios.Fleet, c *controller.Config) error {
	if file.Ping == nil {
		return nil
	}
	to, err := v.addressOf(file, "ping", file.Ping.URL, file.Ping.Secret)
	if err != nil {
		return err
	}
	p, err := alert.NewPinger(to, file.Ping.Method, v.Log)
	if err != nil {
		return cli.InputError(fmt.Errorf("%s: %w", file.Path, err))
	}
	c.Seen = seenBy(c.Seen, p.Saw)
	go p.Run(v.Ctx)
	return nil
}

// writeStatus starts the status page.
func (v *controllerVerb) writeStatus(file *scenarios.Fleet, c *controller.Config) error {
	s := file.Status
	if s == nil {
		return nil
	}
	title := s.Title
	if title == "" {
		title = file.Name
	}
	var place statuspage.Place = statuspage.Folder(s.To)
	if strings.HasPrefix(s.To, "s3://") {
		at, err := objects.ParseURL(s.To)
		if err != nil {
			return cli.InputError(fmt.Errorf("%s: status.to: %w", file.Path, err))
		}
		store, err := objects.Open(v.Ctx, objects.Options{Region: file.EC2.Region})
		if err != nil {
			return cli.OutsideError(err)
		}
		place = statuspage.Bucket{Store: store, At: at}
	}
	p := statuspage.New(statuspage.Config{Title: title, Link: s.Link, Classes: c.Env.Classes, Money: s.Money}, place, v.Log)
	c.Seen = seenBy(c.Seen, p.Saw)
	go p.Run(v.Ctx)
	return nil
}
