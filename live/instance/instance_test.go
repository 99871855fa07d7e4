package instance

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/skynet-ec2/skynet/live/instance/imdstest"
)

// mock starts amazon-ec2-metadata-mock with flags, IMDSv2 only, and returns its
// address.
func mock(t *testing.T, flags ...string) string {
	t.Helper()
	program := mockProgram(t)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := fmt.Sprint(listener.Addr().(*net.TCPAddr).Port)
	listener.Close()
	c := exec.Command(program, append(flags, "-n", "127.0.0.1", "-p", port, "-I")...)
	c.Dir = t.TempDir()
	c.Env = append(os.Environ(), "HOME="+c.Dir)
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		c.Process.Kill()
		c.Wait()
	})
	url := "http://127.0.0.1:" + port
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		resp, err := http.Get(url + "/latest/meta-data/")
		if err == nil {
			resp.Body.Close()
			if resp.StatusCode != http.StatusUnauthorized {
				t.Errorf("a call without a token is answered %s", resp.Status)
			}
			return url
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
}

var (
	mockOnce sync.Once
	mockPath string
	mockErr  error
)

// mockProgram builds amazon-ec2-metadata-mock, which is a tool of this
// repository, once.
func mockProgram(t *testing.T) string {
	t.Helper()
	if testing.Short() {
		t.Skip("amazon-ec2-metadata-mock takes seconds to build: not in -short")
	}
	mockOnce.Do(func() {
		dir, err := os.MkdirTemp("", "skynet-imds-*")
		if err != nil {
			mockErr = err
			return
		}
		mockPath = filepath.Join(dir, "ec2-metadata-mock")
		c := exec.Command("go", "build", "-modfile=tools/go.mod", "-o", mockPath, "github.com/aws/amazon-ec2-metadata-mock/cmd/ec2-metadata-mock")
		c.Dir = "../.."
		if out, err := c.CombinedOutput(); err != nil {
			mockErr = fmt.Errorf("%w: %s", err, out)
		}
	})
	if mockErr != nil {
		t.Skipf("amazon-ec2-metadata-mock cannot be built: %v", mockErr)
	}
	return mockPath
}

func TestMain(m *testing.M) {
	code := m.Run()
	if mockPath != "" {
		os.RemoveAll(filepath.Dir(mockPath))
	}
	os.Exit(code)
}

func open(t *testing.T, url string) *Metadata {
	t.Helper()
	t.Setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", url)
	t.Setenv("AWS_CONFIG_FILE", "/dev/null")
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
	m, err := Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestIdentityOfTheMock(t *testing.T) {
	m := open(t, mock(t, "-d", "3600"))
	i, err := m.Identity(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(i.Document, `"instanceId": "i-1234567890abcdef0"`) || i.Signature == "" || strings.TrimSpace(i.Signature) != i.Signature {
		t.Errorf("document %q, signature %q", i.Document, i.Signature)
	}
	i.Document, i.Signature = "", ""
	want := Identity{
		ID: "i-1234567890abcdef0", Type: "m4.xlarge", Zone: "us-east-1f", Region: "us-east-1", Market: "on-demand",
		LaunchedAt: time.Date(2019, 10, 31, 7, 2, 24, 0, time.UTC),
	}
	if i != want {
		t.Errorf("%+v, want %+v", i, want)
	}
}

func TestNoticesOfTheMock(t *testing.T) {
	m := open(t, mock(t, "spot", "-a", "terminate", "-d", "1", "--rebalance-delay-sec", "0"))
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	var interruptions, risks int
	m.Notices(ctx, 50*time.Millisecond, slog.New(slog.NewTextHandler(t.Output(), nil)), func(n Notice) {
		switch {
		case n.Interruption:
			interruptions++
			if n.Action != "terminate" || time.Until(n.At) < time.Minute || time.Until(n.At) > 3*time.Minute {
				t.Errorf("%+v", n)
			}
			time.AfterFunc(300*time.Millisecond, cancel) // several looks later
		default:
			risks++
		}
	})
	if interruptions != 1 || risks == 0 {
		t.Errorf("%d interruptions, %d risks", interruptions, risks)
	}
}

// A service is a metadata service for what the mock lacks.
type service map[string]string // content by path below /latest/

func (s service) start(t *testing.T) string {
	t.Helper()
	web := imdstest.New(t)
	for path, content := range s {
		web.Set(path, content)
	}
	return web.URL
}

func TestIdentityPrefersTheStrongSignature(t *testing.T) {
	document := `{"instanceId":"i-1","instanceType":"c1.xlarge","pendingTime":"2026-11-30T12:00:00Z"}`
	m := open(t, service{
		"dynamic/instance-identity/document": document, "dynamic/instance-identity/rsa2048": "strong\n",
		"dynamic/instance-identity/signature": "weak", "meta-data/instance-life-cycle": "spot",
	}.start(t))
	i, err := m.Identity(t.Context())
	if err != nil || i.Document != document || i.Signature != "strong" || i.Market != "spot" {
		t.Errorf("%+v, %v", i, err)
	}
}

func TestIdentityThatIsNone(t *testing.T) {
	for _, document := range []string{"", "<html>", "{}", strings.Repeat("x", metadataMax+1)} {
		m := open(t, service{"dynamic/instance-identity/document": document}.start(t))
		if i, err := m.Identity(t.Context()); err == nil {
			t.Errorf("%.20q: %+v", document, i)
		}
	}
}

func TestUserData(t *testing.T) {
	if d, err := open(t, service{}.start(t)).UserData(t.Context()); err != nil || !reflect.DeepEqual(d, UserData{}) {
		t.Errorf("without: %+v, %v", d, err)
	}
	text := `queue = "https://queue.example.org"
cluster = "test"
roles = ["photos", "night"]
releases = "s3://acme/releases"
channel = "production"
release_keys = ["RWS"]
`
	want := UserData{
		Queue: "https://queue.example.org", Cluster: "test", Roles: []string{"photos", "night"},
		Releases: "s3://acme/releases", Channel: "production", ReleaseKeys: []string{"RWS"},
	}
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	z.Write([]byte(text))
	z.Close()
	for _, content := range []string{text, packed.String()} {
		d, err := open(t, service{"user-data": content}.start(t)).UserData(t.Context())
		if err != nil || !reflect.DeepEqual(d, want) {
			t.Errorf("%+v, %v", d, err)
		}
	}
}

func TestUserDataThatIsWrong(t *testing.T) {
	for text, says := range map[string]string{
		"quue = 1":                            `unknown key "quue" (did you mean "queue"?)`,
		"Queue = \"x\"":                       `unknown key "Queue" (did you mean "queue"?)`,
		"slots = -1":                          "slots = -1: must be from 0 to 1000",
		"\n\nslots = {":                       "user-data:3:",
		"slots = \"many\"":                    "user-data",
		"auth = \"trust me\"":                 `auth = "trust me": must be ec2, sts or none`,
		"auth = \"stz\"":                      `auth = "stz": must be ec2, sts or none (did you mean "sts"?)`,
		"auth = \"ec2\"\naudience = \"a\"":    `audience = "a": is of use with auth = "sts" alone`,
		"releases = \"s3://a/b\"":             "needs channel and release_keys",
		"\x1f\x8bnot gzip":                    "gzip",
		"quue = 1\nslots = 5000\nauth = \"\"": "slots = 5000",
	} {
		if _, err := ParseUserData("user-data", []byte(text)); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v, want one that says %q", text, err, says)
		}
	}
}

func FuzzParseUserData(f *testing.F) {
	f.Add([]byte("queue = \"x\"\nslots = 3\n"))
	f.Add([]byte("\x1f\x8b"))
	f.Fuzz(func(t *testing.T, content []byte) {
		d, err := ParseUserData("user-data", content)
		if err == nil && (d.Slots < 0 || d.Slots > slotsMax || d.Cluster == "") {
			t.Errorf("%q is %+v", content, d)
		}
	})
}

func TestExampleInTheDocs(t *testing.T) {
	text, err := os.ReadFile("../../docs/worker/user-data.toml")
	if err != nil {
		t.Fatal(err)
	}
	if d, err := ParseUserData("user-data.toml", text); err != nil || d.Channel != "production" || d.Results == "" {
		t.Errorf("%+v, %v", d, err)
	}
}
