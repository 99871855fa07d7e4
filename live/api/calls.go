package api

// A Call is one operation of the interface. Calls lists them all: the server
// serves exactly these, and the OpenAPI document is made of them.
type Call struct {
	Name     string  // names the operation, such as "submitJob"
	Method   string  // of HTTP
	Path     string  // braces are path values
	Summary  string  // one line for people
	Roles    []Role  // tokens that open it; none: it is open to all
	Lenient  bool    // ignores unknown fields of its request (the worker plane)
	Query    []Param // parameters after the question mark; all optional
	Request  any     // zero value of the body's type; nil: no body
	Lines    bool    // takes NDJSON too, one element of the request's list a line
	Response any     // zero value of the answer's type; nil: no JSON
	Media    string  // of the answer where it is not JSON
	Status   int     // of success
}

// Param is a parameter in a query.
type Param struct {
	Name string
	Kind string   // "integer", "string" or "time" (RFC 3339)
	Max  int64    // of an integer, which is at least 0
	Enum []string // of a string: the words allowed; none: any
	Doc  string
}

var (
	lookers   = []Role{RoleReader, RoleProducer, RoleOperator}
	watchers  = []Role{RoleReader, RoleOperator}
	producers = []Role{RoleProducer, RoleOperator}
	operators = []Role{RoleOperator}
	workers   = []Role{RoleWorker}

	waitParam = Param{Name: "wait_ms", Kind: "integer", Max: WaitMaxMS, Doc: "wait for the end so long; default 0"}
)

// Calls are all calls, by plane.
var Calls = []Call{
	{Name: "registerWorker", Method: "POST", Path: "/v1/workers", Summary: "A worker introduces itself.", Roles: workers, Lenient: true, Request: RegisterRequest{}, Response: RegisterResponse{}, Status: 200},
	{Name: "work", Method: "POST", Path: "/v1/work", Summary: "A worker reports what is done and what runs, and asks for work.", Roles: workers, Lenient: true, Request: WorkRequest{}, Response: WorkResponse{}, Status: 200},
	{Name: "heartbeat", Method: "POST", Path: "/v1/work/heartbeat", Summary: "A worker says that it lives and what it runs.", Roles: workers, Lenient: true, Request: HeartbeatRequest{}, Response: HeartbeatResponse{}, Status: 200},
	{Name: "complete", Method: "POST", Path: "/v1/work/complete", Summary: "A worker reports jobs that ended.", Roles: workers, Lenient: true, Request: CompleteRequest{}, Response: CompleteResponse{}, Status: 200},
	{Name: "goodbye", Method: "DELETE", Path: "/v1/workers/{worker}", Summary: "A worker leaves; its jobs go back.", Roles: workers, Lenient: true, Request: GoodbyeRequest{}, Response: GoodbyeResponse{}, Status: 200},

	{Name: "submitJob", Method: "POST", Path: "/v1/jobs", Summary: "Submit a job.", Roles: producers, Request: JobSpec{}, Response: Submitted{}, Status: 200},
	{Name: "submitBatch", Method: "POST", Path: "/v1/jobs/batch", Summary: "Submit up to 1000 jobs: all of them or none.", Roles: producers, Request: BatchRequest{}, Lines: true, Response: BatchResponse{}, Status: 200},
	{Name: "listJobs", Method: "GET", Path: "/v1/jobs", Summary: "List the jobs that the queue still holds, by id: not those that are done or cancelled, which are in the history.", Roles: lookers, Response: JobsResponse{}, Status: 200, Query: []Param{
		{Name: "state", Kind: "string", Enum: stateWords(), Doc: "only jobs in this state"},
		{Name: "type", Kind: "string", Doc: "only jobs of this type"},
		{Name: "tenant", Kind: "string", Doc: "only jobs of this tenant"},
		{Name: "group", Kind: "string", Doc: "only jobs of this group"},
		{Name: "limit", Kind: "integer", Max: BatchMax, Doc: "at most so many; default 100"},
		{Name: "after", Kind: "integer", Max: IDMax, Doc: "only jobs with greater ids: the next of the answer before"},
	}},
	{Name: "job", Method: "GET", Path: "/v1/jobs/{job}", Summary: "Look at a job, or wait for its end.", Roles: lookers, Response: Job{}, Status: 200, Query: []Param{waitParam}},
	{Name: "cancelJob", Method: "POST", Path: "/v1/jobs/{job}/cancel", Summary: "Cancel a job. One that runs is stopped at its worker's next beat.", Roles: producers, Response: Job{}, Status: 200},
	{Name: "retryJob", Method: "POST", Path: "/v1/jobs/{job}/retry", Summary: "Let a dead or quarantined job stand in line again, and a delayed one at once.", Roles: producers, Response: Job{}, Status: 200},
	{Name: "prioritizeJob", Method: "POST", Path: "/v1/jobs/{job}/priority", Summary: "Move a job to another priority.", Roles: producers, Request: PriorityRequest{}, Response: Job{}, Status: 200},
	{Name: "cancelJobs", Method: "POST", Path: "/v1/jobs/cancel", Summary: "Count, then cancel, the jobs that a selector names.", Roles: producers, Request: SelectRequest{}, Response: SelectResponse{}, Status: 200},
	{Name: "retryJobs", Method: "POST", Path: "/v1/jobs/retry", Summary: "Count, then retry, the jobs that a selector names.", Roles: producers, Request: SelectRequest{}, Response: SelectResponse{}, Status: 200},
	{Name: "makeGroup", Method: "POST", Path: "/v1/groups", Summary: "Make a group of jobs.", Roles: producers, Request: GroupRequest{}, Response: Group{}, Status: 200},
	{Name: "listGroups", Method: "GET", Path: "/v1/groups", Summary: "List groups, the newest first.", Roles: lookers, Response: GroupsResponse{}, Status: 200, Query: []Param{{Name: "tenant", Kind: "string", Doc: "only groups of this tenant"}}},
	{Name: "group", Method: "GET", Path: "/v1/groups/{group}", Summary: "See how far a group is, or wait for its end.", Roles: lookers, Response: Group{}, Status: 200, Query: []Param{waitParam}},

	{Name: "stats", Method: "GET", Path: "/v1/stats", Summary: "What waits, runs, comes and goes.", Roles: lookers, Response: Stats{}, Status: 200},
	{Name: "statsStream", Method: "GET", Path: "/v1/stats/stream", Summary: "Server-sent events named stats, each a Stats.", Roles: lookers, Media: "text/event-stream", Status: 200, Query: []Param{{Name: "every_ms", Kind: "integer", Max: 60_000, Doc: "time between two events, at least 200; default 1000"}}},
	{Name: "history", Method: "GET", Path: "/v1/history", Summary: "Jobs that ended: as the simulator's trace (csv, parquet) or with all that is known (ndjson).", Roles: watchers, Media: "text/csv", Status: 200, Query: []Param{
		{Name: "from", Kind: "time", Doc: "csv, parquet: jobs that arrived at or after this instant; ndjson: that ended; default: the first"},
		{Name: "to", Kind: "time", Doc: "and before this one; default: now"},
		{Name: "format", Kind: "string", Enum: []string{HistoryCSV, HistoryParquet, HistoryNDJSON}, Doc: "default csv"},
	}},
	{Name: "listWorkers", Method: "GET", Path: "/v1/workers", Summary: "List workers.", Roles: watchers, Response: WorkersResponse{}, Status: 200},

	{Name: "observe", Method: "POST", Path: "/v1/observe", Summary: "What a controller decides by: counters since the leader began, and what workers run.", Roles: operators, Request: ObserveRequest{}, Response: Observed{}, Status: 200},

	{Name: "listQueues", Method: "GET", Path: "/v1/queues", Summary: "List job types and how they are held back.", Roles: watchers, Response: QueuesResponse{}, Status: 200},
	{Name: "pauseQueue", Method: "POST", Path: "/v1/queues/{type}/pause", Summary: "Hand out no more jobs of a type; those that run go on.", Roles: operators, Response: Queue{}, Status: 200},
	{Name: "resumeQueue", Method: "POST", Path: "/v1/queues/{type}/resume", Summary: "End a pause.", Roles: operators, Response: Queue{}, Status: 200},
	{Name: "limitQueue", Method: "POST", Path: "/v1/queues/{type}/limit", Summary: "Bound how many jobs of a type run, and how often one starts.", Roles: operators, Request: Limit{}, Response: Queue{}, Status: 200},
	{Name: "limitKey", Method: "POST", Path: "/v1/keys/{key}/limit", Summary: "Bound how many jobs of a concurrency key run.", Roles: operators, Request: KeyLimit{}, Response: KeyLimit{}, Status: 200},
	{Name: "weighTenant", Method: "POST", Path: "/v1/tenants/{tenant}/weight", Summary: "Set a tenant's share.", Roles: operators, Request: Weight{}, Response: Weight{}, Status: 200},
	{Name: "listSchedules", Method: "GET", Path: "/v1/schedules", Summary: "List schedules by name.", Roles: watchers, Response: SchedulesResponse{}, Status: 200},
	{Name: "setSchedule", Method: "PUT", Path: "/v1/schedules/{schedule}", Summary: "Submit a job again and again.", Roles: operators, Request: Schedule{}, Response: Schedule{}, Status: 200},
	{Name: "deleteSchedule", Method: "DELETE", Path: "/v1/schedules/{schedule}", Summary: "End a schedule.", Roles: operators, Status: 204},
	{Name: "direct", Method: "POST", Path: "/v1/directives", Summary: "Tell workers what to do.", Roles: operators, Request: DirectiveRequest{}, Response: PostedDirective{}, Status: 200},
	{Name: "listDirectives", Method: "GET", Path: "/v1/directives", Summary: "List the directives in force.", Roles: watchers, Response: DirectivesResponse{}, Status: 200},
	{Name: "deleteDirective", Method: "DELETE", Path: "/v1/directives/{directive}", Summary: "Take a directive back.", Roles: operators, Status: 204},

	{Name: "makeToken", Method: "POST", Path: "/v1/tokens", Summary: "Make a bearer token. It is shown once.", Roles: operators, Request: TokenRequest{}, Response: NewToken{}, Status: 200},
	{Name: "listTokens", Method: "GET", Path: "/v1/tokens", Summary: "List the tokens that are good, without the tokens.", Roles: operators, Response: TokensResponse{}, Status: 200},
	{Name: "revokeToken", Method: "DELETE", Path: "/v1/tokens/{token}", Summary: "Revoke a token, by its id.", Roles: operators, Status: 204},
	{Name: "bootstrap", Method: "POST", Path: "/v1/tokens/bootstrap", Summary: "An instance proves who it is and gets a worker token.", Lenient: true, Request: BootstrapRequest{}, Response: NewToken{}, Status: 200},

	{Name: "metrics", Method: "GET", Path: "/metrics", Summary: "Figures for Prometheus.", Roles: watchers, Media: "text/plain", Status: 200},
	{Name: "healthz", Method: "GET", Path: "/healthz", Summary: "The process lives.", Media: "text/plain", Status: 200},
	{Name: "readyz", Method: "GET", Path: "/readyz", Summary: "The process leads and its store answers; 503 of a standby.", Media: "text/plain", Status: 200},
	{Name: "openapi", Method: "GET", Path: "/v1/openapi.json", Summary: "This document.", Media: "application/json", Status: 200},
}

func stateWords() []string {
	words := make([]string, len(States))
	for i, s := range States {
		words[i] = string(s)
	}
	return words
}
