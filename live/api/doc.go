// Package api is the queue's HTTP interface as data: what every call carries
// and what it answers, as JSON. It imports nothing of ours, so that a worker, a
// client and a server agree on it without knowing each other. openapi.yaml says
// the same for other languages; a test compares the two.
//
// # Planes
//
// The worker plane is spoken by workers (POST /v1/workers, /v1/work and its
// subsets), the producer plane by those who want jobs done, the operator plane
// by people and by the controller. A bearer token has one Role, which opens one
// plane; RoleReader opens what only looks.
//
// # Conventions
//
//   - A number carries its unit last in its name: _ms, _s, _bytes. A number
//     without one counts things. Instants are RFC 3339 in UTC (_at, _until) and
//     are for people and for records; whoever waits uses the duration beside
//     them, since clocks differ.
//   - Job ids and lease tokens are JSON numbers below 2^53, so that every JSON
//     reader holds them exactly.
//   - A field left out means its zero value, and the zero value is the default
//     and always safe.
//   - Lists in answers are [], never null.
//   - What went wrong is an ErrorResponse: a code to branch on, the field, what
//     would have been allowed.
//
// # Versions
//
// A queue serves workers and clients one release older and one newer. So the
// worker plane ignores fields it does not know, in both directions, and every
// reader of an answer ignores what it does not know. The producer and operator
// planes refuse an unknown field and name the nearest known one: there it is
// most likely a mistake, and a job must not run without the limit that somebody
// misspelled. A new field never changes what an old one means.
package api

// Version is the version of the interface: the first number changes when an old
// client can no longer be served, the second with every addition.
const Version = "1.0"

// VersionHeader is on every answer and carries Version.
const VersionHeader = "SkyNet-API-Version"

// IdempotencyHeader on a POST of jobs makes a repetition of the call within 24 h
// answer as the first one did, without adding jobs again. At most 255 bytes.
const IdempotencyHeader = "Idempotency-Key"

// Bounds that every server keeps.
const (
	BatchMax     = 1000      // jobs in one batch, done jobs in one call, jobs leased by one call
	WaitMaxMS    = 25_000    // longest wait of a long poll; a longer one is shortened to it
	NameMax      = 255       // bytes in a type, tenant, key, group, role, cluster or id
	ArgsMaxBytes = 64 << 10  // of a job's args
	IDMax        = 1<<53 - 1 // largest job id and token
	PriorityMax  = 255       // the last priority; 0 is first
	ErrorMax     = 4 << 10   // bytes kept of a job's error message; a longer one is cut
	URIMax       = 4 << 10   // bytes in a result's URI
	BodyMaxBytes = 16 << 20  // of a request's body, once unpacked; a batch of large jobs may have to be split
)
