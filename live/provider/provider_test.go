package provider

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/google/go-cmp/cmp"
)

func feed(items ...[2]string) string {
	text := `<?xml version="1.0"?><rss version="2.0"><channel><title>EC2</title>`
	for _, i := range items {
		text += fmt.Sprintf("<item><title><![CDATA[%s]]></title><pubDate>%s</pubDate></item>", i[0], i[1])
	}
	return text + "</channel></rss>"
}

func serve(t *testing.T, status int, text string) string {
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		io.WriteString(w, text)
	}))
	t.Cleanup(web.Close)
	return web.URL
}

// A feed tells of trouble until the matter is resolved or long past.
func TestFeed(t *testing.T) {
	now := time.Date(2025, 10, 20, 12, 0, 0, 0, time.UTC)
	launches := [2]string{"Service impact: Increased launch errors", "Mon, 20 Oct 2025 04:30:00 PDT"}
	for name, of := range map[string]struct {
		items []([2]string)
		want  []string
	}{
		"nothing":    {nil, nil},
		"trouble":    {[]([2]string){launches}, []string{"Service impact: Increased launch errors"}},
		"resolved":   {[]([2]string){{"Service is operating normally: [RESOLVED] Increased launch errors", "Mon, 20 Oct 2025 11:50:00 GMT"}, launches}, nil},
		"broke anew": {[]([2]string){launches, {"Informational message: [RESOLVED] Increased launch errors", "Mon, 20 Oct 2025 11:00:00 +0000"}}, []string{"Service impact: Increased launch errors"}},
		"long past":  {[]([2]string){{"Service impact: Increased launch errors", "Mon, 20 Oct 2025 09:30:00 GMT"}}, nil},
		"two matters": {
			[]([2]string){launches, {"Service disruption: Network in use1-az4", "Mon, 20 Oct 2025 11:45:00 GMT"}, {"Service impact: [RESOLVED] Metadata", "Mon, 20 Oct 2025 11:55:00 GMT"}},
			[]string{"Service disruption: Network in use1-az4", "Service impact: Increased launch errors"},
		},
	} {
		got, err := Feed{URL: serve(t, 200, feed(of.items...)), Recent: 2 * time.Hour}.Look(t.Context(), now)
		if err != nil {
			t.Fatal(err)
		}
		var titles []string
		for _, x := range got {
			titles = append(titles, x.Title)
		}
		if diff := cmp.Diff(of.want, titles); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// What is no feed is an error, not the news that all is well.
func TestNoFeed(t *testing.T) {
	for name, of := range map[string]struct {
		status int
		text   string
	}{
		"not found": {404, "gone"}, "a page": {200, "<html><body>Sign in</body></html>"}, "cut off": {200, feed()[:60]},
		"no date": {200, feed([2]string{"Service impact: x", "yesterday"})}, "too long": {200, feed() + strings.Repeat(" ", answerMax)},
	} {
		if got, err := (Feed{URL: serve(t, of.status, of.text), Recent: time.Hour}).Look(t.Context(), time.Now()); err == nil {
			t.Errorf("%s: read as %v", name, got)
		}
	}
}

// The Health API is asked with a signature for the open issues of a region.
func TestHealth(t *testing.T) {
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if !strings.Contains(r.Header.Get("Authorization"), "/us-east-1/health/aws4_request") || r.Header.Get("X-Amz-Target") != "AWSHealth_20160804.DescribeEvents" ||
			!strings.Contains(string(body), `"regions":["eu-west-1","global"]`) {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		io.WriteString(w, `{"events":[{"arn":"x","service":"EC2","eventTypeCode":"AWS_EC2_OPERATIONAL_ISSUE","region":"eu-west-1","startTime":1.7e9,"statusCode":"open"},{"eventTypeCode":"OVER","statusCode":"closed"}]}`)
	}))
	defer web.Close()
	h := Health{aws.Config{Credentials: credentials.NewStaticCredentialsProvider("key", "secret", "")}, "eu-west-1", web.URL}
	got, err := h.Look(t.Context(), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]Trouble{{"AWS_EC2_OPERATIONAL_ISSUE in eu-west-1", time.Unix(1_700_000_000, 0).UTC()}}, got); diff != "" {
		t.Error(diff)
	}
	h.Region = "mars"
	if _, err := h.Look(t.Context(), time.Now()); err == nil {
		t.Error("a refusal is no trouble")
	}
}

// canned is a source of what a test says.
type canned struct {
	mu      sync.Mutex
	trouble []Trouble
	err     error
}

func (c *canned) Look(context.Context, time.Time) ([]Trouble, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.trouble, c.err
}

// say makes it answer so from now on.
func (c *canned) say(trouble []Trouble, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.trouble, c.err = trouble, err
}

// What is known is forgotten when the source has not answered three times.
func TestWatcher(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		source := &canned{trouble: []Trouble{{"launch errors", began}, {"network", began}}}
		w := Watch(source, time.Minute, slog.New(slog.DiscardHandler))
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go w.Run(ctx)
		synctest.Wait()
		if got, want := w.Status(time.Now()).String(), "launch errors, since 2000-01-01T00:00:00Z, and 1 more"; got != want {
			t.Errorf("says %q, want %q", got, want)
		}
		source.say(nil, errors.New("no answer"))
		time.Sleep(3 * time.Minute)
		if w.Status(time.Now()).String() == "" {
			t.Error("forgotten at once")
		}
		time.Sleep(time.Second)
		if got := w.Status(time.Now()); got.String() != "" {
			t.Errorf("still says %q", got)
		}
		source.say(nil, nil)
		time.Sleep(2 * time.Minute)
		if got := w.Status(time.Now()); got.String() != "" || got.At.IsZero() {
			t.Errorf("all is well, and it says %q", got)
		}
	})
}
