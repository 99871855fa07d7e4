package server

// handlers holds what answers each call of api.Calls, by its name.
var handlers = map[string]handler{
	"registerWorker": (*call).registerWorker,
	"work":           (*call).work,
	"heartbeat":      (*call).heartbeat,
	"complete":       (*call).complete,
	"goodbye":        (*call).goodbye,

	"submitJob":     (*call).submitJob,
	"submitBatch":   (*call).submitBatch,
	"listJobs":      (*call).listJobs,
	"job":           (*call).job,
	"cancelJob":     (*call).cancelJob,
	"retryJob":      (*call).retryJob,
	"prioritizeJob": (*call).prioritizeJob,
	"cancelJobs":    (*call).cancelJobs,
	"retryJobs":     (*call).retryJobs,
	"makeGroup":     (*call).makeGroup,
	"listGroups":    (*call).listGroups,
	"group":         (*call).group,

	"stats":       (*call).stats,
	"observe":     (*call).observe,
	"statsStream": (*call).statsStream,
	"history":     (*call).history,
	"listWorkers": (*call).listWorkers,

	"listQueues":      (*call).listQueues,
	"pauseQueue":      (*call).pauseQueue,
	"resumeQueue":     (*call).resumeQueue,
	"limitQueue":      (*call).limitQueue,
	"limitKey":        (*call).limitKey,
	"weighTenant":     (*call).weighTenant,
	"listSchedules":   (*call).listSchedules,
	"setSchedule":     (*call).setSchedule,
	"deleteSchedule":  (*call).deleteSchedule,
	"direct":          (*call).direct,
	"listDirectives":  (*call).listDirectives,
	"deleteDirective": (*call).deleteDirective,

	"makeToken":   (*call).makeToken,
	"listTokens":  (*call).listTokens,
	"revokeToken": (*call).revokeToken,
	"bootstrap":   (*call).bootstrap,

	"metrics": (*call).metrics,
	"healthz": (*call).healthz,
	"readyz":  (*call).readyz,
	"openapi": (*call).openAPI,
}
