package scenarios

import (
	"fmt"
	"strings"
	"time"
)

// FleetProvider is the [provider] table: what the provider says of itself.
type FleetProvider struct {
	Kind      string        `toml:"kind" required:"yes" selects:"yes" choices:"rss|health" doc:"rss: the public status feed. health: the AWS Health API, which needs a support plan that has it."`
	Feed      string        `toml:"feed" of:"rss" required:"yes" doc:"URL of the feed, such as https://status.aws.amazon.com/rss/ec2-us-east-1.rss."`
	Region    string        `toml:"region" of:"health" unset:"[ec2]'s" doc:"Region whose events count."`
	Every     time.Duration `toml:"every" default:"2m" min:"30s" max:"1h" doc:"How often it is asked."`
	Recent    time.Duration `toml:"recent" of:"rss" default:"2h" min:"5m" max:"48h" doc:"How long an item that nobody has called resolved counts."`
	Hold      []string      `toml:"hold" unset:"nothing" doc:"What is held while it tells of trouble: \"terminations\" (nothing is drained or ended), \"launches\" (at most launch_max instances by one decision)."`
	LaunchMax int           `toml:"launch_max" default:"2" min:"0" max:"500" unit:"instances" doc:"With launches in hold: the most that one decision may launch."`
}

// FleetAlert is an [[alert]] table: who is told when something is wrong.
type FleetAlert struct {
	URL    string        `toml:"url" unset:"none" doc:"Where alerts are posted to, http://… or https://…"`
	Secret string        `toml:"url_secret" unset:"none" doc:"Instead of url, where the URL itself is a secret: env:NAME, file:PATH or ssm:/NAME."`
	Format string        `toml:"format" default:"generic" choices:"generic|slack" doc:"generic: JSON with every field. slack: a text alone."`
	Key    string        `toml:"key" unset:"not signed" doc:"Where the key is that posts are signed with (HMAC-SHA256): env:NAME, file:PATH or ssm:/NAME."`
	Least  string        `toml:"least" default:"warn" choices:"warn|page" doc:"Alerts that weigh less are not sent."`
	Again  time.Duration `toml:"again" default:"4h" min:"5m" max:"168h" doc:"How long until an alert that goes on is sent again."`
}

// FleetPing is the [ping] table: a dead man's switch outside.
type FleetPing struct {
	URL    string `toml:"url" unset:"none" doc:"Called after every tick that was carried out, or would have been; with /fail behind it after one that was held or blind."`
	Secret string `toml:"url_secret" unset:"none" doc:"Instead of url, where the URL itself is a secret: env:NAME, file:PATH or ssm:/NAME."`
	Method string `toml:"method" default:"GET" choices:"GET|POST" doc:"How it is called."`
}

// FleetStatus is the [status] table: the public status page.
type FleetStatus struct {
	To    string `toml:"to" required:"yes" doc:"Folder, or s3://bucket/prefix, that gets index.html, status.json and status.rss at every tick."`
	Title string `toml:"title" unset:"the fleet's name" doc:"What the page is called."`
	Link  string `toml:"link" unset:"none" doc:"Where the page is to be found, for the feed: https://…"`
	Money bool   `toml:"money" default:"false" doc:"What was spent is shown too."`
}

// check reports what no tag can say about a provider.
func (p *FleetProvider) check(d *document) {
	if p.Kind == "rss" {
		d.web("provider.feed", p.Feed)
	}
	d.words("provider.hold", p.Hold, []string{"terminations", "launches"}, "a thing to hold")
}

// check reports what no tag can say about an alert's receiver.
func (a *FleetAlert) check(d *document, i int) {
	at := fmt.Sprintf("alert[%d]", i+1)
	d.address(at, a.URL, a.Secret)
	d.secret(at+".key", a.Key)
}

// address reports an address that is given twice, or not at all.
func (d *document) address(at, url, secret string) {
	d.web(at+".url", url)
	d.secret(at+".url_secret", secret)
	if (url == "") == (secret == "") {
		d.wrong(at+".url", "one of url and url_secret must be given")
	}
}

// check reports what no tag can say about the status page.
func (s *FleetStatus) check(d *document) {
	if strings.Contains(s.To, "://") && !strings.HasPrefix(s.To, "s3://") {
		d.bad("status.to", s.To, "a folder, or s3://bucket/prefix")
	}
	d.web("status.link", s.Link)
}

// checkOutside reports what no tag can say about the tables that lead outside.
func (f *Fleet) checkOutside(d *document) {
	d.secret("token", f.Token)
	if f.Source != nil {
		f.Source.check(d)
	}
	if f.Provider != nil {
		f.Provider.check(d)
	}
	for i := range f.Alerts {
		f.Alerts[i].check(d, i)
	}
	if f.Ping != nil {
		d.address("ping", f.Ping.URL, f.Ping.Secret)
	}
	if f.Status != nil {
		f.Status.check(d)
	}
}

// besideOutside makes the paths in those tables relative to the file.
func (f *Fleet) besideOutside() {
	places := []*string{&f.Token}
	if f.Source != nil {
		places = append(places, &f.Source.Token)
	}
	for i := range f.Alerts {
		places = append(places, &f.Alerts[i].Secret, &f.Alerts[i].Key)
	}
	if f.Ping != nil {
		places = append(places, &f.Ping.Secret)
	}
	for _, p := range places {
		if file, is := strings.CutPrefix(*p, "file:"); is {
			*p = "file:" + beside(f.Path, file)
		}
	}
	if f.Status != nil && !strings.HasPrefix(f.Status.To, "s3://") {
		f.Status.To = beside(f.Path, f.Status.To)
	}
}
