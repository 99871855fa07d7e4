package main

import (
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/skynet-ec2/skynet/live/client"
)

const guardedDay = scenarioOfADay + `
[guard]
`

var controllerListens = regexp.MustCompile(`msg="controller listens" url=(\S+)`)

// fetch returns what an address answers.
func fetch(t *testing.T, url string) (status int, body string) {
	t.Helper()
	r, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	text, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return r.StatusCode, string(text)
}

// A controller that can reach nothing yet tells that it lives, who it is, and
// that somebody has stopped it.
func TestControllerTellsHowItFares(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a process: not in -short")
	}
	nobody, err := net.Listen("tcp", "127.0.0.1:0") // answers no call
	if err != nil {
		t.Fatal(err)
	}
	defer nobody.Close()
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL_EC2": "http://" + nobody.Addr().String(), "AWS_REGION": "us-east-1",
		"AWS_ACCESS_KEY_ID": "none", "AWS_SECRET_ACCESS_KEY": "none", client.EnvToken: "none",
	} {
		t.Setenv(name, value)
	}
	dir := t.TempDir()
	for name, text := range map[string]string{
		"day.toml": guardedDay,
		"skynet.toml": `fleet = "render"
scenario = "day.toml"
policy = "skynet"
queue = "http://` + nobody.Addr().String() + `"
`,
		"skynet-stop.json": `{"reason": "not yet", "by": "ada"}`,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	p := begin(t, dir, controllerListens, "controller", "--config", "skynet.toml", "--listen", "127.0.0.1:0")
	if status, body := fetch(t, p.url+"/healthz"); status != 200 || body != "ok\n" {
		t.Errorf("healthz: %d %q", status, body)
	}
	if status, _ := fetch(t, p.url+"/readyz"); status != 503 {
		t.Errorf("ready without a decision: %d", status)
	}
	if _, body := fetch(t, p.url+"/metrics"); !strings.Contains(body, "\nskynet_controller_stopped{fleet=\"render\"} 1\n") {
		t.Errorf("metrics:\n%s", body)
	}
	if _, body := fetch(t, p.url+"/v1/status"); !strings.Contains(body, `"mode": "observe"`) || !strings.Contains(body, `"by": "ada"`) {
		t.Errorf("status:\n%s", body)
	}
	if code := p.stop(syscall.SIGTERM); code != 0 {
		t.Errorf("exit code %d:\n%s", code, p.text())
	}
}

// A controller that takes over shows what the one before decided, which it has from
// the store alone: the other's files may be on another machine.
func TestTheNextControllerShowsTheDayBefore(t *testing.T) {
	if testing.Short() {
		t.Skip("starts two processes: not in -short")
	}
	gone, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	gone.Close() // refuses every call
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL_EC2": "http://" + gone.Addr().String(), "AWS_REGION": "us-east-1",
		"AWS_ACCESS_KEY_ID": "none", "AWS_SECRET_ACCESS_KEY": "none", client.EnvToken: "none",
	} {
		t.Setenv(name, value)
	}
	store := filepath.Join(t.TempDir(), "store.db")
	machine := func() string {
		dir := t.TempDir()
		for name, text := range map[string]string{
			"day.toml": guardedDay,
			"skynet.toml": `fleet = "render"
scenario = "day.toml"
policy = "skynet"
queue = "http://` + gone.Addr().String() + `"
store = "sqlite:` + store + `"
`,
		} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		return dir
	}
	shows := func(p *process, decision string) {
		t.Helper()
		deadline := time.Now().Add(2 * time.Minute)
		for body := ""; !strings.Contains(body, decision); {
			if time.Now().After(deadline) {
				t.Fatalf("no decision %s among\n%s\n%s", decision, body, p.text())
			}
			time.Sleep(100 * time.Millisecond)
			_, body = fetch(t, p.url+"/fleet/decisions")
		}
	}
	first := begin(t, machine(), controllerListens, "controller", "--config", "skynet.toml", "--listen", "127.0.0.1:0")
	shows(first, "#0")
	second := begin(t, machine(), controllerListens, "controller", "--config", "skynet.toml", "--listen", "127.0.0.1:0")
	if code := first.stop(syscall.SIGTERM); code != 0 {
		t.Errorf("exit code %d:\n%s", code, first.text())
	}
	shows(second, "#1")
	shows(second, "#0")
	if code := second.stop(syscall.SIGTERM); code != 0 {
		t.Errorf("exit code %d:\n%s", code, second.text())
	}
}
