package statuspage

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"html/template"
	"log/slog"
	"time"

	"github.com/skynet-ec2/skynet/live/controller"
	"github.com/skynet-ec2/skynet/policy"
)

// Config describes a page.
type Config struct {
	Title string
	// Link is where the page is to be found, for the feed; "": not said.
	Link string
	// Classes are those that something is promised to.
	Classes []policy.Class
	// Money: what was spent is shown.
	Money bool
}

// Place is where the files go. Write puts a file there, whole or not at all; Read
// returns one that was put there before.
type Place interface {
	Write(ctx context.Context, name, contentType string, text []byte) error
	Read(ctx context.Context, name string) ([]byte, error)
}

// Page writes the page. New makes one; give what it returns the ticks, and Run it.
type Page struct {
	c       Config
	place   Place
	log     *slog.Logger
	next    chan Status // the latest
	changes []Change
}

// New returns a page at a place.
func New(c Config, place Place, log *slog.Logger) *Page {
	return &Page{c: c, place: place, log: log, next: make(chan Status, 1)}
}

// Saw looks at a tick. It returns at once: of two that could not be written only the
// latter is. A controller that another has taken over from writes no more.
func (p *Page) Saw(k *controller.Controller, r *controller.Result) {
	if r.Hold != controller.Superseded {
		p.look(p.of(k.Observation(), r))
	}
}

func (p *Page) look(s Status) {
	select {
	case <-p.next:
	default:
	}
	p.next <- s // there is room: nobody else puts anything in
}

// writeTime bounds the writing of one page.
const writeTime = 30 * time.Second

// Run writes until ctx ends.
func (p *Page) Run(ctx context.Context) {
	p.remember(ctx)
	for {
		select {
		case s := <-p.next:
			if err := p.write(ctx, s); err != nil && ctx.Err() == nil {
				p.log.Warn("the status page cannot be written", "error", err)
			}
		case <-ctx.Done():
			return
		}
	}
}

// remember takes over the changes of the page that is there.
func (p *Page) remember(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, writeTime)
	defer cancel()
	text, err := p.place.Read(ctx, jsonFile)
	if err != nil {
		return // there is none yet, or it will be written anew
	}
	var s Status
	if json.Unmarshal(text, &s) == nil {
		p.changes = s.Changes[:min(len(s.Changes), changesMax)]
	}
}

// The files of a page.
const (
	htmlFile = "index.html"
	jsonFile = "status.json"
	rssFile  = "status.rss"
)

// write writes the files, the page last.
func (p *Page) write(ctx context.Context, s Status) error {
	ctx, cancel := context.WithTimeout(ctx, writeTime)
	defer cancel()
	p.changes = changed(p.changes, &s)
	s.Changes = p.changes
	for _, f := range []struct {
		name, contentType string
		text              func(*Status) ([]byte, error)
	}{
		{jsonFile, "application/json", asJSON},
		{rssFile, "application/rss+xml", p.asRSS},
		{htmlFile, "text/html; charset=utf-8", asHTML},
	} {
		text, err := f.text(&s)
		if err != nil {
			return fmt.Errorf("%s: %w", f.name, err)
		}
		if err := p.place.Write(ctx, f.name, f.contentType, text); err != nil {
			return err
		}
	}
	return nil
}

func asJSON(s *Status) ([]byte, error) {
	text, err := json.MarshalIndent(s, "", "  ")
	return append(text, '\n'), err
}

//go:embed page.html
var pageText string

var pageTemplate = template.Must(template.New(htmlFile).Funcs(template.FuncMap{
	"clock":  func(t time.Time) string { return t.Format("2006-01-02 15:04:05 UTC") },
	"stamp":  func(t time.Time) string { return t.Format(time.RFC3339) },
	"length": length, "dollars": dollars,
}).Parse(pageText))

func asHTML(s *Status) ([]byte, error) {
	var b bytes.Buffer
	err := pageTemplate.Execute(&b, s)
	return b.Bytes(), err
}

// feed is an RSS document.
type feed struct {
	XMLName xml.Name `xml:"rss"`
	Version string   `xml:"version,attr"`
	Channel channel  `xml:"channel"`
}

type channel struct {
	Title       string     `xml:"title"`
	Link        string     `xml:"link"`
	Description string     `xml:"description"`
	Built       string     `xml:"lastBuildDate"`
	TTL         int        `xml:"ttl"` // minutes
	Items       []feedItem `xml:"item"`
}

type feedItem struct {
	Title       string `xml:"title"`
	Description string `xml:"description"`
	Date        string `xml:"pubDate"`
	GUID        guid   `xml:"guid"`
}

type guid struct {
	Permanent bool   `xml:"isPermaLink,attr"`
	Text      string `xml:",chardata"`
}

// asRSS returns the feed: an item for every change of state.
func (p *Page) asRSS(s *Status) ([]byte, error) {
	c := channel{
		Title: s.Title, Link: p.c.Link, Built: s.At.Format(time.RFC1123Z), TTL: 1,
		Description: fmt.Sprintf("%s: %s Written at %s; after %s it is out of date.", s.State, s.Says, s.At.Format(time.RFC3339), s.StaleAt.Format(time.RFC3339)),
	}
	for _, x := range s.Changes {
		c.Items = append(c.Items, feedItem{
			Title: fmt.Sprintf("%s: %s", s.Title, x.State), Description: x.Says, Date: x.At.Format(time.RFC1123Z),
			GUID: guid{Text: s.Title + " " + x.At.Format(time.RFC3339)},
		})
	}
	text, err := xml.MarshalIndent(feed{Version: "2.0", Channel: c}, "", "  ")
	return append([]byte(xml.Header), append(text, '\n')...), err
}
