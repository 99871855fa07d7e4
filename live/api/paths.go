package api

// Paths of the calls. Braces are path values.
const (
	PathWorkers   = "/v1/workers"          // POST RegisterRequest → RegisterResponse; GET → WorkersResponse
	PathWorker    = "/v1/workers/{worker}" // DELETE GoodbyeRequest → GoodbyeResponse
	PathWork      = "/v1/work"             // POST WorkRequest → WorkResponse
	PathHeartbeat = "/v1/work/heartbeat"   // POST HeartbeatRequest → HeartbeatResponse
	PathComplete  = "/v1/work/complete"    // POST CompleteRequest → CompleteResponse

	PathJobs        = "/v1/jobs"                // POST JobSpec → Submitted; GET ?state&type&tenant&group&limit&after → JobsResponse
	PathJobsBatch   = "/v1/jobs/batch"          // POST BatchRequest, or NDJSON of JobSpec → BatchResponse
	PathJob         = "/v1/jobs/{job}"          // GET ?wait_ms → Job
	PathJobCancel   = "/v1/jobs/{job}/cancel"   // POST → Job
	PathJobRetry    = "/v1/jobs/{job}/retry"    // POST → Job
	PathJobPriority = "/v1/jobs/{job}/priority" // POST PriorityRequest → Job
	PathJobsCancel  = "/v1/jobs/cancel"         // POST SelectRequest → SelectResponse
	PathJobsRetry   = "/v1/jobs/retry"          // POST SelectRequest → SelectResponse
	PathGroups      = "/v1/groups"              // POST GroupRequest → Group; GET ?tenant → GroupsResponse
	PathGroup       = "/v1/groups/{group}"      // GET ?wait_ms → Group

	PathStats       = "/v1/stats"        // GET → Stats
	PathStatsStream = "/v1/stats/stream" // GET ?every_ms → server-sent events "stats", each a Stats
	PathHistory     = "/v1/history"      // GET ?from&to&format → a stream of finished jobs

	PathQueues       = "/v1/queues"                  // GET → QueuesResponse
	PathQueuePause   = "/v1/queues/{type}/pause"     // POST → Queue
	PathQueueResume  = "/v1/queues/{type}/resume"    // POST → Queue
	PathQueueLimit   = "/v1/queues/{type}/limit"     // POST Limit → Queue
	PathKeyLimit     = "/v1/keys/{key}/limit"        // POST KeyLimit → KeyLimit
	PathTenantWeight = "/v1/tenants/{tenant}/weight" // POST Weight → Weight
	PathSchedules    = "/v1/schedules"               // GET → SchedulesResponse
	PathSchedule     = "/v1/schedules/{schedule}"    // PUT Schedule → Schedule; DELETE
	PathDirectives   = "/v1/directives"              // POST DirectiveRequest → PostedDirective; GET → DirectivesResponse
	PathDirective    = "/v1/directives/{directive}"  // DELETE

	PathTokens    = "/v1/tokens"           // POST TokenRequest → NewToken; GET → TokensResponse
	PathToken     = "/v1/tokens/{token}"   // DELETE
	PathBootstrap = "/v1/tokens/bootstrap" // POST BootstrapRequest → NewToken, with no bearer token

	PathMetrics = "/metrics"         // OpenMetrics
	PathHealth  = "/healthz"         // 200: the process lives
	PathReady   = "/readyz"          // 200: it leads and its store answers; 503: a standby, or starting
	PathOpenAPI = "/v1/openapi.json" // the interface's description
)
