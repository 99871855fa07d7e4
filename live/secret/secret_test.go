package secret

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A secret comes from each of the places, without the white space around it.
func TestPlaces(t *testing.T) {
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte("of the file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("SECRET_TEST", " of the environment ")
	store(t, map[string]string{"/skynet/token": "of the store"})
	for ref, want := range map[string]string{
		"env:SECRET_TEST": "of the environment", "file:" + file: "of the file", "ssm:/skynet/token": "of the store",
	} {
		v, err := Load(t.Context(), ref)
		if err != nil || v.Reveal() != want {
			t.Errorf("%s: %q, %v", ref, v.Reveal(), err)
		}
	}
}

// store is the parameter store, as far as it is asked here.
func store(t *testing.T, parameters map[string]string) {
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var in struct {
			Name           string
			WithDecryption bool
		}
		text, _ := io.ReadAll(r.Body)
		if err := json.Unmarshal(text, &in); err != nil || r.Header.Get("X-Amz-Target") != "AmazonSSM.GetParameter" || !in.WithDecryption {
			t.Errorf("asked %q for %s", r.Header.Get("X-Amz-Target"), text)
		}
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		value, there := parameters[in.Name]
		if !there {
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprint(w, `{"__type":"ParameterNotFound"}`)
			return
		}
		json.NewEncoder(w).Encode(map[string]any{"Parameter": map[string]string{"Name": in.Name, "Value": value}})
	}))
	t.Cleanup(web.Close)
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL_SSM": web.URL, "AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
		"AWS_CONFIG_FILE": os.DevNull, "AWS_SHARED_CREDENTIALS_FILE": os.DevNull,
	} {
		t.Setenv(name, value)
	}
}

// What cannot be had is an error that says so, and never holds the secret.
func TestNoSecret(t *testing.T) {
	dir := t.TempDir()
	open, empty := filepath.Join(dir, "open"), filepath.Join(dir, "empty")
	for name, mode := range map[string]os.FileMode{open: 0o644, empty: 0o600} {
		text := "hunter2"
		if name == empty {
			text = "\n"
		}
		if err := os.WriteFile(name, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
	}
	store(t, nil)
	for ref, want := range map[string]string{
		"hunter2": "must be env:NAME", "env:": "must be env:NAME", "env:SECRET_TEST_NONE": "no such variable",
		"file:" + filepath.Join(dir, "none"): "no such file", "file:" + open: "chmod o=", "file:" + empty: "it is empty",
		"ssm:/none": "ParameterNotFound",
	} {
		v, err := Load(t.Context(), ref)
		if err == nil || !strings.Contains(err.Error(), want) || !v.IsZero() || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v, want %q", ref, err, want)
		}
	}
}

// However it is shown, a secret is not.
func TestNeverShown(t *testing.T) {
	v := Of("hunter2")
	var b bytes.Buffer
	in := struct{ Token, inner Value }{v, v}
	fmt.Fprintf(&b, "%v %+v %#v %s %q %v", v, in, in, v, v, &in)
	slog.New(slog.NewJSONHandler(&b, nil)).Info("x", "token", v, "in", in)
	slog.New(slog.NewTextHandler(&b, nil)).Info("x", "token", v, "in", in)
	text, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	b.Write(text)
	if strings.Contains(b.String(), "hunter") {
		t.Errorf("shown: %s", b.String())
	}
}
