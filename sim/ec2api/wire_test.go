package ec2api_test

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/skynet-ec2/skynet/sim/cloud"
	"github.com/skynet-ec2/skynet/sim/ec2api"
	"github.com/skynet-ec2/skynet/sim/ec2api/ec2test"
)

// post sends a body, signed as of a time unless that is zero.
func (r *region) post(body string, at time.Time) (int, string) {
	r.Helper()
	q, err := http.NewRequestWithContext(r.ctx, "POST", "http://ec2.test/", strings.NewReader(body))
	if err != nil {
		r.Fatal(err)
	}
	q.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if !at.IsZero() {
		digest := sha256.Sum256([]byte(body))
		keys := aws.Credentials{AccessKeyID: ec2api.TestAccessKey, SecretAccessKey: ec2api.TestSecretKey}
		if err := v4.NewSigner().SignHTTP(r.ctx, keys, q, hex.EncodeToString(digest[:]), "ec2", "us-east-1", at); err != nil {
			r.Fatal(err)
		}
	}
	return r.send(q)
}

func (r *region) send(q *http.Request) (int, string) {
	r.Helper()
	reply, err := ec2api.Transport{Handler: r.server}.RoundTrip(q)
	if err != nil {
		r.Fatal(err)
	}
	text, err := io.ReadAll(reply.Body)
	if err != nil {
		r.Fatal(err)
	}
	return reply.StatusCode, string(text)
}

func TestSignatures(t *testing.T) {
	play(t, cloud.Config{World: world()}, ec2api.Options{}, func(r *region) {
		_, err := r.client("another secret").DescribeInstances(r.ctx, &ec2.DescribeInstancesInput{})
		r.wants(err, "AuthFailure")
		const list = "Action=DescribeInstances&Version=2016-11-15"
		for _, c := range []struct {
			name, body string
			at         time.Time
			status     int
			has        string
		}{
			{"signed", list, time.Now(), 200, "<reservationSet>"},
			{"a slow clock", list, time.Now().Add(-14 * time.Minute), 200, "<reservationSet>"},
			{"signed long ago", list, time.Now().Add(-16 * time.Minute), 400, "<Code>RequestExpired</Code>"},
			{"not signed", list, time.Time{}, 403, "<Code>MissingAuthenticationToken</Code>"},
			{"unknown action", "Action=RebootTheRegion", time.Now(), 400, "<Code>InvalidAction</Code>"},
			{"no action", "Version=2016-11-15", time.Now(), 400, "<Code>MissingAction</Code>"},
			{"unknown parameter", list + "&InstanceIdd.1=i-1", time.Now(), 400, "The parameter InstanceIdd.1 is not recognized"},
			{"too large", list + "&X=" + strings.Repeat("x", 2<<20), time.Now(), 413, "<Code>RequestEntityTooLarge</Code>"},
		} {
			if status, text := r.post(c.body, c.at); status != c.status || !strings.Contains(text, c.has) {
				r.Errorf("%s: %d %s, want %d with %s", c.name, status, text, c.status, c.has)
			}
		}
		// a body other than the one signed
		q, err := http.NewRequestWithContext(r.ctx, "POST", "http://ec2.test/", strings.NewReader(list))
		if err != nil {
			r.Fatal(err)
		}
		digest := sha256.Sum256([]byte(list))
		keys := aws.Credentials{AccessKeyID: ec2api.TestAccessKey, SecretAccessKey: ec2api.TestSecretKey}
		if err := v4.NewSigner().SignHTTP(r.ctx, keys, q, hex.EncodeToString(digest[:]), "ec2", "us-east-1", time.Now()); err != nil {
			r.Fatal(err)
		}
		forged := "Action=RunInstances&MinCount=1&MaxCount=9"
		q.Body, q.ContentLength = io.NopCloser(strings.NewReader(forged)), int64(len(forged))
		if status, text := r.send(q); status != 401 {
			r.Errorf("a forged body: %d %s", status, text)
		}
	})
}

func TestCallerIdentity(t *testing.T) {
	play(t, cloud.Config{World: world()}, ec2api.Options{}, func(r *region) {
		client := sts.New(sts.Options{
			Region: "us-east-1", BaseEndpoint: aws.String("http://ec2.test"), HTTPClient: &http.Client{Transport: ec2api.Transport{Handler: r.server}},
			Credentials: credentials.NewStaticCredentialsProvider(ec2api.TestAccessKey, ec2api.TestSecretKey, ""),
		})
		who, err := client.GetCallerIdentity(r.ctx, &sts.GetCallerIdentityInput{})
		if err != nil || *who.Account != "123456789012" || !strings.HasSuffix(*who.Arn, ":user/"+ec2api.TestAccessKey) {
			r.Errorf("%+v %v", who, err)
		}
	})
}

// metadata returns the SDK's client of an instance's metadata service.
func (r *region) metadata(id string) *imds.Client {
	return imds.New(imds.Options{
		Endpoint: "http://metadata.test", HTTPClient: &http.Client{Transport: ec2api.Transport{Handler: r.server.Metadata(id)}},
		Retryer: aws.NopRetryer{},
	})
}

func TestMetadata(t *testing.T) {
	identity, err := ec2api.NewIdentity(rand.Reader, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	play(t, cloud.Config{World: withSpot(world())}, ec2api.Options{Identity: identity}, func(r *region) {
		user := `{"queue": "http://queue"}`
		got, err := r.run("c1.xlarge", 1, "", asSpot, func(in *ec2.RunInstancesInput) {
			in.UserData = aws.String(base64.StdEncoding.EncodeToString([]byte(user)))
			in.MetadataOptions = &types.InstanceMetadataOptionsRequest{InstanceMetadataTags: types.InstanceMetadataTagsStateEnabled}
		})
		if err != nil {
			r.Fatal(err)
		}
		id := *got[0].InstanceId
		client := r.metadata(id)
		read := func(path string) string {
			out, err := client.GetMetadata(r.ctx, &imds.GetMetadataInput{Path: path})
			if err != nil {
				return "none"
			}
			text, err := io.ReadAll(out.Content)
			if err != nil {
				r.Fatal(err)
			}
			return string(text)
		}
		for path, want := range map[string]string{
			"instance-id": id, "instance-type": "c1.xlarge", "placement/availability-zone": *got[0].Placement.AvailabilityZone,
			"instance-life-cycle": "spot", "tags/instance/skynet:fleet": "test/render",
			"spot/instance-action": "none", "events/recommendations/rebalance": "none",
		} {
			if text := read(path); text != want {
				r.Errorf("%s: %q, want %q", path, text, want)
			}
		}
		if list := read("placement/"); !strings.Contains(list, "availability-zone\n") {
			r.Errorf("placement: %q", list)
		}
		data, err := client.GetUserData(r.ctx, &imds.GetUserDataInput{})
		if err != nil {
			r.Fatal(err)
		}
		if text, _ := io.ReadAll(data.Content); string(text) != user {
			r.Errorf("user data %q", text)
		}

		// the identity document, and who vouches for it
		page, err := client.GetDynamicData(r.ctx, &imds.GetDynamicDataInput{Path: "instance-identity/document"})
		if err != nil {
			r.Fatal(err)
		}
		document, _ := io.ReadAll(page.Content)
		var says struct{ InstanceID, AccountID, Region string }
		if err := json.Unmarshal(document, &says); err != nil || says.InstanceID != id || says.AccountID != "123456789012" || says.Region != "us-east-1" {
			r.Errorf("%s: %v", document, err)
		}
		page, err = client.GetDynamicData(r.ctx, &imds.GetDynamicDataInput{Path: "instance-identity/signature"})
		if err != nil {
			r.Fatal(err)
		}
		text, _ := io.ReadAll(page.Content)
		signature, err := base64.StdEncoding.DecodeString(strings.ReplaceAll(string(text), "\n", ""))
		if err != nil {
			r.Fatal(err)
		}
		block, _ := pem.Decode(identity.PEM())
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			r.Fatal(err)
		}
		if err := certificate.CheckSignature(x509.SHA256WithRSA, document, signature); err != nil {
			r.Error(err)
		}
		if err := certificate.CheckSignature(x509.SHA256WithRSA, bytes.Replace(document, []byte(id), []byte("i-0"), 1), signature); err == nil {
			r.Error("a forged document passes")
		}

		r.admin("POST", "instances/"+id+"/rebalance", "{}", nil)
		if text := read("events/recommendations/rebalance"); !strings.Contains(text, time.Now().UTC().Format(time.RFC3339)) {
			r.Errorf("rebalance: %s", text)
		}
		r.admin("POST", "instances/"+id+"/interrupt", "{}", nil)
		var action struct{ Action, Time string }
		if err := json.Unmarshal([]byte(read("spot/instance-action")), &action); err != nil || action.Action != "terminate" || action.Time != time.Now().Add(2*time.Minute).UTC().Format(time.RFC3339) {
			r.Errorf("%+v %v", action, err)
		}
		time.Sleep(4 * time.Minute)
		if text := read("instance-id"); text != "none" {
			r.Errorf("a terminated instance says %q", text)
		}
	})
}

// Without a token of its own an instance's metadata stay shut.
func TestMetadataTokens(t *testing.T) {
	play(t, cloud.Config{World: world()}, ec2api.Options{}, func(r *region) {
		both := r.mustRun("m1.small", 2, "")
		lax := r.mustRun("m1.small", 1, "", func(in *ec2.RunInstancesInput) {
			in.MetadataOptions = &types.InstanceMetadataOptionsRequest{HttpTokens: types.HttpTokensStateOptional}
		})
		ask := func(id, method, path string, header ...string) (int, string) {
			q, err := http.NewRequestWithContext(r.ctx, method, "http://ec2.test/_imds/"+id+"/latest/"+path, nil)
			if err != nil {
				r.Fatal(err)
			}
			for i := 0; i < len(header); i += 2 {
				q.Header.Set(header[i], header[i+1])
			}
			return r.send(q)
		}
		const ttl, token = "X-aws-ec2-metadata-token-ttl-seconds", "X-aws-ec2-metadata-token"
		status, first := ask(both[0], "PUT", "api/token", ttl, "60")
		if status != 200 || first == "" {
			r.Fatalf("token: %d %q", status, first)
		}
		for _, c := range []struct {
			name, id, method, path string
			header                 []string
			status                 int
		}{
			{"its own token", both[0], "GET", "meta-data/instance-id", []string{token, first}, 200},
			{"no token", both[0], "GET", "meta-data/instance-id", nil, 401},
			{"another's token", both[1], "GET", "meta-data/instance-id", []string{token, first}, 401},
			{"a forged token", both[0], "GET", "meta-data/instance-id", []string{token, "x" + first}, 401},
			{"no token where none is required", lax[0], "GET", "meta-data/instance-id", nil, 200},
			{"no lifetime", both[0], "PUT", "api/token", nil, 400},
			{"too long a lifetime", both[0], "PUT", "api/token", []string{ttl, "21601"}, 400},
			{"through a proxy", both[0], "PUT", "api/token", []string{ttl, "60", "X-Forwarded-For", "10.0.0.1"}, 400},
			{"no such page", both[0], "GET", "meta-data/nothing", []string{token, first}, 404},
			{"no user data", both[0], "GET", "user-data", []string{token, first}, 404},
			{"no such instance", "i-0", "GET", "meta-data/instance-id", []string{token, first}, 404},
			{"writing", both[0], "POST", "meta-data/instance-id", []string{token, first}, 405},
		} {
			if status, text := ask(c.id, c.method, c.path, c.header...); status != c.status {
				r.Errorf("%s: %d %q, want %d", c.name, status, text, c.status)
			}
		}
		time.Sleep(time.Minute)
		if status, _ := ask(both[0], "GET", "meta-data/instance-id", token, first); status != 401 {
			r.Errorf("an old token: %d", status)
		}
	})
}

// handClock is a clock that the administrator's API can set.
type handClock struct {
	ec2test.Clock
	ahead *time.Duration
	speed *float64
}

func (c handClock) Now() time.Time          { return time.Now().Add(*c.ahead) }
func (c handClock) Advance(d time.Duration) { *c.ahead += d }
func (c handClock) SetSpeed(speed float64)  { *c.speed = speed }
func (c handClock) Speed() float64          { return *c.speed }

func TestAdmin(t *testing.T) {
	play(t, cloud.Config{World: world()}, ec2api.Options{}, func(r *region) {
		for _, c := range []struct {
			method, path, body string
			status             int
			says               string
		}{
			{"POST", "clock", `{"advance": "5m"}`, 409, "cannot be set"},
			{"POST", "faults", `{"kind": "refus"}`, 400, "must be one of refuse, throttle"},
			{"POST", "faults", `{"kind": "refuse", "types": ["c1.mega"]}`, 400, "must be one of m1.small"},
			{"POST", "faults", `{"kind": "refuse", "zones": ["z"]}`, 400, "none of that name"},
			{"POST", "faults", `{"kind": "call"}`, 400, "does nothing"},
			{"POST", "faults", `{"kind": "call", "action": "Reboot", "lost": true}`, 400, "no such action"},
			{"POST", "faults", `{"kind": "refuse", "lost": true}`, 400, "keys of kind"},
			{"POST", "faults", `{"kind": "price"}`, 400, "factor"},
			{"POST", "faults", `{"knd": "refuse"}`, 400, "unknown field"},
			{"PUT", "capacity", `{"type": "c1.mega", "count": 1}`, 400, "must be one of"},
			{"PUT", "capacity", `{"type": "c1.xlarge", "count": -1}`, 400, "must not be negative"},
			{"PUT", "quota", `{"vcpus": -1}`, 400, "must not be negative"},
			{"DELETE", "faults/call-9", "", 404, "none of that id"},
			{"GET", "identity-certificate", "", 404, "signs no"},
			{"POST", "instances/i-0/paint", `{}`, 404, "must be interrupt"},
		} {
			var answer struct{ Error string }
			if status := r.admin(c.method, c.path, c.body, &answer); status != c.status || !strings.Contains(answer.Error, c.says) {
				r.Errorf("%s %s %s: %d %q, want %d %q", c.method, c.path, c.body, status, answer.Error, c.status, c.says)
			}
		}
		// what a browser sends unasked is refused
		q, _ := http.NewRequestWithContext(r.ctx, "POST", "http://ec2.test/_sim/faults", strings.NewReader(`{"kind": "api-outage"}`))
		q.Header.Set("Content-Type", "text/plain")
		if status, _ := r.send(q); status != 415 {
			r.Errorf("plain text: %d", status)
		}

		var made struct{ ID string }
		r.admin("POST", "faults", `{"kind": "api-outage", "for": "1h"}`, &made)
		_, err := r.run("m1.small", 1, "")
		r.wants(err, "Unavailable")
		if status := r.admin("DELETE", "faults/"+made.ID, "", nil); status != 200 {
			r.Errorf("removing %s: %d", made.ID, status)
		}
		r.mustRun("m1.small", 1, "")
		var calls map[string]struct {
			Calls  int
			Errors map[string]int
		}
		r.admin("GET", "requests", "", &calls)
		if n := calls["RunInstances"]; n.Calls != 2 || n.Errors["Unavailable"] != 1 {
			r.Errorf("requests: %+v", calls)
		}
	})
}

func TestAdminClock(t *testing.T) {
	ahead, speed := time.Duration(0), 1.0
	clock := handClock{Clock: ec2test.Clock{Time: time.Now, After: time.AfterFunc}, ahead: &ahead, speed: &speed}
	l := &recorder{}
	play(t, cloud.Config{World: world()}, ec2api.Options{Launcher: l}, func(r *region) {
		c, err := cloud.New(cloud.Config{World: world(), Start: time.Now()})
		if err != nil {
			r.Fatal(err)
		}
		// a server of its own, with this clock
		server, err := ec2api.New(c, ec2api.Options{Clock: clock, SignatureClock: time.Now, Launcher: l})
		if err != nil {
			r.Fatal(err)
		}
		defer server.Close()
		r.server, r.image, l.since = server, c.Image().ID, time.Now()
		r.Client = r.client(ec2api.TestSecretKey)
		id := r.mustRun("m1.small", 1, "")[0]
		var now struct {
			Now   time.Time
			Speed float64
		}
		if status := r.admin("POST", "clock", `{"advance": "26h", "speed": 60}`, &now); status != 200 || now.Speed != 60 || time.Until(now.Now) != 26*time.Hour {
			r.Errorf("%d %+v", status, now)
		}
		if in := r.all()[0]; in.State.Name != types.InstanceStateNameRunning {
			r.Errorf("a day later: %s", in.State.Name)
		}
		if len(l.log) != 1 || l.log[0] != "0s start "+id {
			r.Errorf("told %v", l.log)
		}
	})
}
