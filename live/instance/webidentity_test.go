package instance

import (
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/skynet-ec2/skynet/live/instance/imdstest"
)

// TestWebIdentityToken: STS is asked in the region, for the audience alone, with
// the credentials of the instance's role, whatever others lie about.
func TestWebIdentityToken(t *testing.T) {
	var status int
	var answer string
	var asked url.Values
	var signed, session string
	sts := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err == nil {
			asked, err = url.ParseQuery(string(body))
		}
		if err != nil {
			t.Error(err)
		}
		signed, session = r.Header.Get("Authorization"), r.Header.Get("X-Amz-Security-Token")
		w.WriteHeader(status)
		io.WriteString(w, xml.Header+answer)
	}))
	defer sts.Close()
	service := imdstest.New(t)
	for name, value := range map[string]string{
		"AWS_EC2_METADATA_SERVICE_ENDPOINT": service.URL, "AWS_ENDPOINT_URL_STS": sts.URL, "AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
		"AWS_ACCESS_KEY_ID": "AKIAOFSOMEBODYELSE", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_REGION": "us-west-2", "AWS_MAX_ATTEMPTS": "1",
	} {
		t.Setenv(name, value)
	}
	service.Set("meta-data/iam/security-credentials/", "worker")
	service.Set("meta-data/iam/security-credentials/worker", fmt.Sprintf(
		`{"Code": "Success", "AccessKeyId": "ASIAOFTHEROLE", "SecretAccessKey": "secret", "Token": "session", "Expiration": %q}`,
		time.Now().Add(time.Hour).UTC().Format(time.RFC3339)))
	m, err := Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	status, answer = http.StatusOK, `<GetWebIdentityTokenResponse><GetWebIdentityTokenResult><WebIdentityToken>a.b.c</WebIdentityToken></GetWebIdentityTokenResult></GetWebIdentityTokenResponse>`
	token, err := m.WebIdentityToken(t.Context(), "eu-central-1", "skynet:test")
	if err != nil || token != "a.b.c" {
		t.Errorf("%q, %v", token, err)
	}
	for name, want := range map[string]string{"Action": "GetWebIdentityToken", "Audience.member.1": "skynet:test", "Audience.member.2": "", "SigningAlgorithm": "ES384", "DurationSeconds": "120"} {
		if got := asked.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if !strings.Contains(signed, "Credential=ASIAOFTHEROLE/") || !strings.Contains(signed, "/eu-central-1/sts/") || session != "session" {
		t.Errorf("signed %q, session %q", signed, session)
	}

	const failure = `<ErrorResponse><Error><Type>Sender</Type><Code>%s</Code><Message>no</Message></Error></ErrorResponse>`
	for _, c := range []struct {
		status       int
		answer, says string
	}{
		{http.StatusBadRequest, fmt.Sprintf(failure, "OutboundWebIdentityFederationDisabledException"), "aws iam enable-outbound-web-identity-federation"},
		{http.StatusForbidden, fmt.Sprintf(failure, "AccessDenied"), `for audience "skynet:test"`},
		{http.StatusOK, `<GetWebIdentityTokenResponse><GetWebIdentityTokenResult/></GetWebIdentityTokenResponse>`, "without one"},
	} {
		status, answer = c.status, c.answer
		if token, err := m.WebIdentityToken(t.Context(), "eu-central-1", "skynet:test"); err == nil || token != "" || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%q, %v; want %q", token, err, c.says)
		}
	}
}
