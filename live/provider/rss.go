package provider

import (
	"context"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Feed is an RSS feed of one service in one region. An item counts while it is the
// latest of its matter, is no older than Recent, and does not say that the matter
// is resolved.
type Feed struct {
	URL    string
	Recent time.Duration
	Client *http.Client // nil: http.DefaultClient
}

// item is one of a feed.
type item struct {
	Title string `xml:"title"`
	Date  string `xml:"pubDate"`
	at    time.Time
}

// Look is of Source.
func (f Feed) Look(ctx context.Context, now time.Time) ([]Trouble, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, f.URL, nil)
	if err != nil {
		return nil, err
	}
	text, err := answer(f.Client, req)
	if err != nil {
		return nil, err
	}
	var doc struct {
		XMLName xml.Name `xml:"rss"`
		Items   []item   `xml:"channel>item"`
	}
	if err := xml.Unmarshal(text, &doc); err != nil {
		return nil, fmt.Errorf("%s: no RSS: %w", f.URL, err)
	}
	return f.trouble(doc.Items, now)
}

// trouble returns what items tell of that is not over.
func (f Feed) trouble(items []item, now time.Time) ([]Trouble, error) {
	latest := map[string]item{}
	for _, i := range items {
		var err error
		if i.at, err = date(i.Date); err != nil {
			return nil, fmt.Errorf("%s: item %q: %w", f.URL, clean(i.Title), err)
		}
		matter, _ := matterOf(i.Title)
		if known, met := latest[matter]; !met || i.at.After(known.at) {
			latest[matter] = i
		}
	}
	var all []Trouble
	for _, i := range latest {
		if _, over := matterOf(i.Title); !over && now.Sub(i.at) <= f.Recent {
			all = append(all, Trouble{clean(i.Title), i.at})
		}
	}
	sortTrouble(all)
	return all, nil
}

// sortTrouble puts the latest first.
func sortTrouble(all []Trouble) {
	slices.SortFunc(all, func(a, b Trouble) int {
		if c := b.Since.Compare(a.Since); c != 0 {
			return c
		}
		return strings.Compare(a.Title, b.Title)
	})
}

// matterOf returns what an item is about, without how grave it is and how far it
// has come, and whether that is over.
func matterOf(title string) (matter string, over bool) {
	low := strings.ToLower(title)
	over = strings.Contains(low, "[resolved]") || strings.Contains(low, "operating normally")
	if _, rest, graded := strings.Cut(low, ": "); graded {
		low = rest
	}
	return strings.TrimSpace(strings.ReplaceAll(low, "[resolved]", "")), over
}

// zones are the names that the feeds of a provider on the Pacific write for the
// clock, which no parser knows everywhere.
var zones = strings.NewReplacer(" PST", " -0800", " PDT", " -0700", " GMT", " +0000", " UTC", " +0000")

// date reads a date of RSS.
func date(text string) (time.Time, error) {
	return time.Parse(time.RFC1123Z, zones.Replace(strings.TrimSpace(text)))
}

// answer makes a call and returns what it answers, if that is 200.
func answer(client *http.Client, req *http.Request) ([]byte, error) {
	if client == nil {
		client = http.DefaultClient
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, answerMax+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("%s: %w", req.URL, err)
	case len(text) > answerMax:
		return nil, fmt.Errorf("%s: %w: more than %d bytes", req.URL, errTooLong, answerMax)
	case resp.StatusCode != http.StatusOK:
		return nil, fmt.Errorf("%s: %s: %s", req.URL, resp.Status, clean(string(text[:min(len(text), 2*titleMax)])))
	}
	return text, nil
}
