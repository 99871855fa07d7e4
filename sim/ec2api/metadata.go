package ec2api

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/skynet-ec2/skynet/policy"
	"github.com/skynet-ec2/skynet/policy/draw"
	"github.com/skynet-ec2/skynet/sim/cloud"
)

// secret makes the metadata service's tokens, so that it need not remember them.
type secret []byte

// newSecret returns the secret of a world: the same world, the same tokens.
func newSecret(c *cloud.Cloud) secret {
	s := draw.New(0, "metadata-token "+c.VPC())
	return fmt.Appendf(nil, "%016x%016x", s.Next(), s.Next())
}

// token returns the token of an instance that is good until a time.
func (s secret) token(id string, until time.Time) string {
	body := fmt.Sprintf("%s %d", id, until.UnixNano())
	return base64.RawURLEncoding.EncodeToString([]byte(body)) + "." + base64.RawURLEncoding.EncodeToString(sum(s, body))
}

// valid reports whether a token is one of the instance's, and still good.
func (s secret) valid(token, id string, now time.Time) bool {
	text, _, _ := strings.Cut(token, ".")
	body, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return false
	}
	owner, stamp, _ := strings.Cut(string(body), " ")
	until, err := strconv.ParseInt(stamp, 10, 64)
	return err == nil && owner == id && s.token(id, time.Unix(0, until)) == token && now.UnixNano() < until
}

// tokenTTLMax is the longest life of a metadata token, in seconds.
const tokenTTLMax = 21600

// machine returns an instance as its worker finds it.
func (s *Server) machine(in *cloud.Instance) Machine {
	t := &s.cloud.Catalog().Types[in.Type]
	m := Machine{
		ID: in.ID, Type: t.Name, Zone: s.cloud.Zones()[in.Zone].Name, Market: in.Market.String(),
		Cores: t.Cores, Slots: t.Slots, Speed: t.Speed,
		Tags: map[string]string{}, Metadata: s.Metadata(in.ID),
	}
	m.UserData, _ = base64.StdEncoding.DecodeString(in.Spec.UserData) // checked at the launch
	for _, t := range in.Tags {
		m.Tags[t.Key] = t.Value
	}
	return m
}

// Metadata returns the metadata service of an instance, as it answers the
// instance itself at 169.254.169.254. It answers nothing once the instance has
// ended.
func (s *Server) Metadata(id string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		status, body, kind := http.StatusNotFound, "", "text/plain"
		s.With(func(c *cloud.Cloud) {
			in := c.Instance(id)
			if in == nil || in.State() == cloud.Terminated || in.State() == cloud.Stopped {
				return
			}
			status, body = s.metadata(c, in, r)
			if status == http.StatusOK && r.Method == http.MethodPut {
				w.Header().Set("X-Aws-Ec2-Metadata-Token-Ttl-Seconds", r.Header.Get(ttlHeader))
			}
			if strings.HasPrefix(body, "{") {
				kind = "application/json"
			}
		})
		w.Header().Set("Content-Type", kind)
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		w.WriteHeader(status)
		w.Write([]byte(body))
	})
}

const (
	ttlHeader   = "X-Aws-Ec2-Metadata-Token-Ttl-Seconds"
	tokenHeader = "X-Aws-Ec2-Metadata-Token"
)

// metadata answers one request of an instance about itself.
func (s *Server) metadata(c *cloud.Cloud, in *cloud.Instance, r *http.Request) (int, string) {
	if r.Method == http.MethodPut && r.URL.Path == "/latest/api/token" {
		ttl, err := strconv.Atoi(r.Header.Get(ttlHeader))
		if err != nil || ttl < 1 || ttl > tokenTTLMax || r.Header.Get("X-Forwarded-For") != "" {
			return http.StatusBadRequest, ""
		}
		return http.StatusOK, s.secret.token(in.ID, c.Now().Add(time.Duration(ttl)*time.Second))
	}
	if r.Method != http.MethodGet {
		return http.StatusMethodNotAllowed, ""
	}
	token := r.Header.Get(tokenHeader)
	if token != "" || or(in.Spec.HTTPTokens, "required") == "required" {
		if !s.secret.valid(token, in.ID, c.Now()) {
			return http.StatusUnauthorized, ""
		}
	}
	version := "2.0"
	if token == "" {
		version = "1.0"
	}
	pages := s.pages(c, in, version)
	path := strings.TrimSuffix(strings.TrimPrefix(r.URL.Path, "/latest/"), "/")
	if body, ok := pages[path]; ok {
		return http.StatusOK, body
	}
	if names := below(pages, path); len(names) > 0 {
		return http.StatusOK, strings.Join(names, "\n")
	}
	return http.StatusNotFound, ""
}

// below lists a folder of pages: its pages, and its folders with a slash.
func below(pages map[string]string, folder string) []string {
	var names []string
	for path := range pages { // map order: sorted below
		rest, in := strings.CutPrefix(path, folder+"/")
		if !in {
			continue
		}
		if first, _, deeper := strings.Cut(rest, "/"); deeper {
			rest = first + "/"
		}
		if !slices.Contains(names, rest) {
			names = append(names, rest)
		}
	}
	slices.Sort(names)
	return names
}

// pages are what an instance can read of itself, by path below /latest/, through a
// version of the metadata service.
func (s *Server) pages(c *cloud.Cloud, in *cloud.Instance, version string) map[string]string {
	zone := c.Zones()[in.Zone]
	typ := c.Catalog().Types[in.Type].Name
	pages := map[string]string{
		"meta-data/instance-id":                    in.ID,
		"meta-data/instance-type":                  typ,
		"meta-data/ami-id":                         in.Spec.Image,
		"meta-data/ami-launch-index":               strconv.Itoa(in.Index),
		"meta-data/reservation-id":                 in.Reservation,
		"meta-data/local-ipv4":                     in.Address,
		"meta-data/local-hostname":                 hostname(in.Address),
		"meta-data/hostname":                       hostname(in.Address),
		"meta-data/placement/availability-zone":    zone.Name,
		"meta-data/placement/availability-zone-id": zone.ID,
		"meta-data/placement/region":               c.Region(),
		"meta-data/instance-life-cycle":            in.Market.String(),
		"meta-data/services/domain":                "amazonaws.com",
	}
	if data, err := base64.StdEncoding.DecodeString(in.Spec.UserData); err == nil && len(data) > 0 {
		pages["user-data"] = string(data)
	}
	if role := roleOf(in); role != "" {
		pages["meta-data/iam/security-credentials/"+role] = s.secret.roleKeys(in.ID, version, s.opt.SignatureClock().Add(roleKeysFor)).page()
	}
	if in.Spec.MetadataTags == "enabled" {
		for _, t := range in.Tags {
			pages["meta-data/tags/instance/"+t.Key] = t.Value
		}
	}
	if in.Market == policy.Spot && !in.Interrupt.IsZero() {
		at := in.Interrupt.UTC().Format(time.RFC3339)
		pages["meta-data/spot/instance-action"] = fmt.Sprintf(`{"action": "terminate", "time": %q}`, at)
		pages["meta-data/spot/termination-time"] = at
	}
	if notice := c.Rebalance(in); !notice.IsZero() {
		pages["meta-data/events/recommendations/rebalance"] = fmt.Sprintf(`{"noticeTime": %q}`, notice.UTC().Format(time.RFC3339))
	}
	document := identityDocument(c, in, typ, zone.Name)
	pages["dynamic/instance-identity/document"] = document
	if s.opt.Identity != nil {
		pages["dynamic/instance-identity/signature"] = s.opt.Identity.sign(document)
	}
	return pages
}

// identityDocument says who an instance is, as EC2 writes it.
func identityDocument(c *cloud.Cloud, in *cloud.Instance, typ, zone string) string {
	text, err := json.MarshalIndent(struct {
		AccountID    string  `json:"accountId"`
		Architecture string  `json:"architecture"`
		Zone         string  `json:"availabilityZone"`
		Image        string  `json:"imageId"`
		ID           string  `json:"instanceId"`
		Type         string  `json:"instanceType"`
		Kernel       *string `json:"kernelId"`
		Pending      string  `json:"pendingTime"`
		PrivateIP    string  `json:"privateIp"`
		Region       string  `json:"region"`
		Version      string  `json:"version"`
	}{
		AccountID: c.Account(), Architecture: architecture(typ), Zone: zone, Image: in.Spec.Image, ID: in.ID, Type: typ,
		Pending: in.Launched.UTC().Format(time.RFC3339), PrivateIP: in.Address, Region: c.Region(), Version: "2017-09-30",
	}, "", "  ")
	if err != nil {
		panic(err) // plain strings
	}
	return string(text)
}
