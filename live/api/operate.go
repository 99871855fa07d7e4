package api

import (
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"time"
)

// Queue is how one job type is held back. The zero Queue is not.
type Queue struct {
	Type   string `json:"type"`
	Paused bool   `json:"paused"`
	Limit  Limit  `json:"limit"`
}

// QueuesResponse lists the job types that the queue has heard of, by name.
type QueuesResponse struct {
	Queues []Queue `json:"queues"`
}

// Limit bounds how many jobs of a type run and how often one starts. The zero
// Limit bounds nothing.
type Limit struct {
	RunningMax int     `json:"running_max,omitempty"` // jobs at once; 0: any number
	RatePerS   float64 `json:"rate_per_s,omitempty"`  // starts a second on average; 0: no rate
	Burst      int     `json:"burst,omitempty"`       // starts at once after a quiet time; 0 means 1
}

// KeyLimit bounds how many jobs of a concurrency key run at once.
type KeyLimit struct {
	RunningMax int `json:"running_max"` // 0: the queue's default again
}

// Weight is a tenant's share against one of weight 1, where both have jobs
// waiting.
type Weight struct {
	Weight int `json:"weight"` // 1 to 1000
}

// Schedule submits a job again and again.
type Schedule struct {
	Name   string    `json:"name,omitempty"`   // in the path; need not be repeated
	Cron   string    `json:"cron"`             // minute hour day-of-month month day-of-week, such as "*/5 * * * *"
	Zone   string    `json:"zone,omitempty"`   // IANA name of the clock that cron speaks of; "": UTC
	Job    JobSpec   `json:"job"`              // run_at, delay_ms and key are not allowed
	NextAt time.Time `json:"next_at,omitzero"` // answered only
	LastAt time.Time `json:"last_at,omitzero"` // answered only
}

// SchedulesResponse lists the schedules by name.
type SchedulesResponse struct {
	Schedules []Schedule `json:"schedules"`
}

// DirectiveRequest tells workers what to do: those that match every scope field
// that is set, now and as long as the directive lasts. OpWork takes back what was
// said to the same scope. Of several directives to a worker the one with the
// narrowest scope counts (worker, instance, role, cluster), then the latest.
type DirectiveRequest struct {
	WorkerID   string `json:"worker_id,omitempty"`
	InstanceID string `json:"instance_id,omitempty"`
	Role       string `json:"role,omitempty"`
	All        bool   `json:"all,omitempty"` // every worker of the cluster; must be said if no scope is named
	Op         Op     `json:"op"`
	AfterMS    int64  `json:"after_ms,omitempty"`
	SpreadMS   int64  `json:"spread_ms,omitempty"` // each worker's after_ms is moved later by a random part of this
	Bundle     string `json:"bundle,omitempty"`    // of update: the release's version
	Percent    int    `json:"percent,omitempty"`   // only so many of a hundred workers, always the same ones; 0 means 100
	Reason     string `json:"reason,omitempty"`    // for people and the log
	LastsMS    int64  `json:"lasts_ms,omitempty"`  // 0: until it is taken back
}

// PostedDirective is a directive in force.
type PostedDirective struct {
	DirectiveRequest
	ID       string    `json:"id"`
	PostedAt time.Time `json:"posted_at"`
	Workers  int       `json:"workers"` // that it matches now
}

// DirectivesResponse lists the directives in force, the oldest first.
type DirectivesResponse struct {
	Directives []PostedDirective `json:"directives"`
}

// Role says what a token opens.
type Role string

// The roles of a token.
const (
	RoleReader   Role = "reader"   // look at jobs, stats, history, workers
	RoleProducer Role = "producer" // submit and cancel jobs; look at jobs
	RoleWorker   Role = "worker"   // the worker plane, nothing else
	RoleOperator Role = "operator" // everything but the worker plane
)

// Roles are all roles.
var Roles = []Role{RoleReader, RoleProducer, RoleWorker, RoleOperator}

// TokenRequest makes a bearer token.
type TokenRequest struct {
	Role       Role   `json:"role"`
	Name       string `json:"name,omitempty"`        // for people
	Tenant     string `json:"tenant,omitempty"`      // of a producer or reader: it sees and makes this tenant's jobs alone
	InstanceID string `json:"instance_id,omitempty"` // of a worker: only this instance may use it
	LastsS     int64  `json:"lasts_s,omitempty"`     // 0: until it is revoked
}

// NewToken is a token that was just made: the only time it is shown.
type NewToken struct {
	Token string `json:"token"` // for the header "Authorization: Bearer …"
	TokenRecord
}

// TokenRecord is what is kept of a token: not the token.
type TokenRecord struct {
	ID         string     `json:"id"` // names it, is no secret
	Role       Role       `json:"role"`
	Name       string     `json:"name,omitempty"`
	Tenant     string     `json:"tenant,omitempty"`
	InstanceID string     `json:"instance_id,omitempty"`
	Cluster    string     `json:"cluster"`
	CreatedAt  time.Time  `json:"created_at"`
	ExpiresAt  *time.Time `json:"expires_at,omitempty"`
	LastsMS    int64      `json:"lasts_ms,omitempty"` // from now until expires_at; 0: no end
}

// TokensResponse lists the tokens that are good, by id.
type TokensResponse struct {
	Tokens []TokenRecord `json:"tokens"`
}

// The kinds of bootstrap credential.
const (
	BootstrapEC2    = "ec2"    // the instance identity document and its signature
	BootstrapSTS    = "sts"    // a web identity token that STS gave the instance's role
	BootstrapShared = "shared" // an HMAC with a secret that instances and queue share
)

// BootstrapRequest asks for a worker token on the strength of who the instance
// is. The token is bound to that instance.
type BootstrapRequest struct {
	Kind    string `json:"kind"`    // ec2, sts or shared
	Cluster string `json:"cluster"` // that the instance was launched for; another than the queue's is refused
	BootID  string `json:"boot_id"` // new for each start of the worker's process

	Document  string `json:"document,omitempty"`  // ec2: the identity document, exactly as the metadata service gave it
	Signature string `json:"signature,omitempty"` // ec2: its PKCS7 ("pkcs7" or "rsa2048") or plain RSA signature, base64, as given

	WebIdentityToken string `json:"web_identity_token,omitempty"` // sts: the JWT that GetWebIdentityToken gave, signed with RS256 or ES384, for the queue's audience alone; good for one call

	InstanceID string    `json:"instance_id,omitempty"` // shared: which instance it is
	At         time.Time `json:"at,omitzero"`           // shared: now; more than 5 minutes off is refused
	MAC        string    `json:"mac,omitempty"`         // shared: hex of SharedMAC: HMAC-SHA256 of the lines "skynet bootstrap 1", cluster, instance_id, boot_id and at (RFC 3339, whole seconds, Z), with no newline at the end
}

// WebIdentityTokenMax bounds a web identity token, in bytes: what STS itself takes
// of those of others.
const WebIdentityTokenMax = 20_000

// AudienceOf returns the audience of web identity tokens for a cluster's queue,
// unless both sides are told another.
func AudienceOf(cluster string) string { return "skynet:" + cluster }

// SharedMAC returns the MAC of a shared bootstrap credential; the field holds it
// in hexadecimal.
func (r BootstrapRequest) SharedMAC(secret []byte) []byte {
	mac := hmac.New(sha256.New, secret)
	fmt.Fprintf(mac, "skynet bootstrap 1\n%s\n%s\n%s\n%s", r.Cluster, r.InstanceID, r.BootID, r.At.UTC().Format(time.RFC3339))
	return mac.Sum(nil)
}
