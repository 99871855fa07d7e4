package main

// origin tells who knows an input.
type origin struct {
	from string
	// unit where the type does not carry it.
	unit string
	// meaning where the source leaves it to the field's name.
	meaning string
	// recorded is why an input that no rule reads is in the journal.
	recorded string
}

// Who knows an input.
const (
	clock   = "clock"
	config  = "configuration"
	queue   = "queue"
	workers = "workers"
	ec2     = "EC2"
	learned = "learned"
	record  = "record"
	people  = "operators"
	trace   = "the trace"
)

// sectionText introduces each section of the page.
var sectionText = map[string]string{
	"time":    "When it is, and when it will be asked again.",
	"queue":   "What waits, runs and was done, by job type and priority.",
	"fleet":   "What is alive: EC2's list, joined with what was asked for and what the workers say.",
	"ec2":     "What EC2 last said and will let us do.",
	"money":   "What instances cost and what was spent.",
	"history": "The past as a profile, and a memory of decisions.",
	"health":  "How far the other sections can be believed.",
	"wishes":  "What operators ask of the fleet for a time; empty unless somebody does.",
	"ahead":   "What no controller knows: a simulation tells it to clairvoyant policies, which are yardsticks. Empty for all others and in production.",
}

// origins tells of every input who knows it, by "Owner.Field".
var origins = map[string]origin{
	"Observation.Now":       {from: clock, meaning: "The time of the tick. Everything in the observation is as of then."},
	"Observation.Tick":      {from: config},
	"Observation.FastTicks": {from: config},
	"Observation.Wishes":    {from: people, unit: "list of drain, cordon, floor"},

	"Observation.Ahead": {from: trace, unit: "jobs, core-seconds by class and time"},

	"QueueView.Reading":       {from: queue, meaning: "When the queue was read, and whether all of it was."},
	"KindView.Type":           {from: queue, meaning: "The job type.", recorded: "rules go by class and priority; people go by type"},
	"KindView.Priority":       {from: queue, unit: "0 first", meaning: "The priority."},
	"KindView.Class":          {from: config, unit: "index"},
	"KindView.Pending":        {from: queue},
	"KindView.OldestWait":     {from: queue},
	"KindView.PendingLately":  {from: learned},
	"KindView.PendingByAge":   {from: queue, unit: "jobs by wait"},
	"KindView.PendingBySize":  {from: queue, unit: "jobs, core-seconds by size", recorded: "its work is counted in pending; kept to see what a backlog is made of"},
	"KindView.WillMiss":       {from: learned, unit: "3 × jobs", recorded: "rules work it out from pending_by_age for the capacity they plan; kept to compare"},
	"KindView.InFlight":       {from: queue},
	"KindView.Arrived":        {from: queue},
	"KindView.LastTick":       {from: queue},
	"KindView.LastTickLately": {from: learned},
	"KindView.Started":        {from: queue, unit: "jobs"},
	"KindView.StartedLate":    {from: queue, unit: "jobs"},
	"KindView.Completed":      {from: queue, unit: "3 × jobs", recorded: "what is done needs no instance; whether anything completes is in health.progress"},
	"KindView.Failed":         {from: queue, unit: "jobs", recorded: "a failed job waits again and is pending; kept for alerts"},
	"KindView.Retried":        {from: queue, unit: "jobs", recorded: "a retried job is pending; kept for alerts"},
	"KindView.Expired":        {from: queue, unit: "jobs", recorded: "a job whose lease was lost is pending; kept for alerts"},
	"ServiceView.Samples":     {from: learned, unit: "jobs", meaning: "How many completions the estimates rest on."},
	"ServiceView.Mean":        {from: learned, meaning: "Mean work of a job of the type."},
	"ServiceView.P95":         {from: learned, meaning: "The work that 95 % of the type's jobs do not exceed."},
	"ServiceView.SCV":         {from: learned, unit: "ratio"},
	"FleetView.Reading":       {from: ec2, meaning: "When the fleet was listed, and whether all of it was."},
	"FleetView.ReadySlots":    {from: workers, unit: "slots"},
	"FleetView.BusySlots":     {from: workers, unit: "slots"},
	"FleetView.BootingSlots":  {from: ec2, unit: "slots", recorded: "rules sum it from fleet.instances, by when each will be ready; kept for plots"},
	"FleetView.DrainingSlots": {from: record, unit: "slots", recorded: "rules sum it from fleet.instances; kept for plots"},
	"Instance.ID":             {from: record, unit: "number", meaning: "The launch ordinal in this fleet, from 0."},
	"Instance.Type":           {from: ec2, unit: "index", meaning: "The instance type, as an index into the catalog."},
	"Instance.Market":         {from: record, meaning: "On demand or spot."},
	"Instance.Phase":          {from: ec2, meaning: "Requested, booting, ready, draining or lost."},
	"Instance.Zone":           {from: ec2, meaning: "The availability zone it runs in.", recorded: "instances of a type are worth the same wherever they run; kept for outages"},
	"Instance.LaunchedAt":     {from: record},
	"Instance.PaidUntil":      {from: record},
	"Instance.Slots":          {from: config, unit: "slots", meaning: "How many jobs it can run at once."},
	"Instance.Busy":           {from: workers, unit: "slots", meaning: "How many jobs it runs now."},
	"Instance.IdleIn":         {from: learned},
	"Instance.LastSeen":       {from: workers},
	"Instance.InterruptAt":    {from: ec2},

	"FleetView.Freeing":         {from: learned, unit: "reference cores by time"},
	"FleetView.Load":            {from: workers, unit: "fraction", recorded: "busy over ready, which are inputs themselves; kept for plots"},
	"FleetView.JobsPerInstance": {from: queue, unit: "jobs per instance", recorded: "throughput is counted in work, not in jobs; kept for people"},
	"FleetView.Speeds":          {from: learned, unit: "reference cores", meaning: "How fast a slot of each type of the catalog is, as completions have taught it; absent: the catalog's hold."},
	"BootView.Samples":          {from: learned, unit: "boots", meaning: "How many boots the lags rest on.", recorded: "the lags themselves are cautious when they rest on few; kept to explain them"},
	"BootView.P50":              {from: learned, meaning: "The median boot lag: launch to first request for work."},
	"BootView.P99":              {from: learned, meaning: "The boot lag that 99 % do not exceed."},
	"BootView.Failed":           {from: learned, unit: "launches"},
	"BootView.Overdue":          {from: learned, unit: "instances", recorded: "the guard counts by twice the p99 and by what has booted since; kept for alerts"},
	"FleetView.Launched":        {from: record, unit: "2 × instances", recorded: "every launch is in fleet.instances; kept to show churn"},
	"FleetView.Terminated":      {from: record, unit: "2 × instances", recorded: "what has ended is not capacity; kept to show churn"},
	"FleetView.Interrupted":     {from: ec2, unit: "instances", recorded: "the notice is acted on, in fleet.instances[].interrupt_at; kept for people"},

	"EC2View.Reading":   {from: ec2, meaning: "When EC2 last answered, and whether it does.", recorded: "a launch that could not be sent is in the refusals; kept for alerts"},
	"Refusal.Type":      {from: ec2, unit: "index", meaning: "The type EC2 would not sell, as an index into the catalog."},
	"Refusal.Market":    {from: ec2, meaning: "The market it was asked for in."},
	"Refusal.Zone":      {from: ec2, meaning: "The zone it was asked for in; empty: any.", recorded: "a refused type is left alone in every zone for a while; kept to see which zone it was"},
	"Refusal.At":        {from: ec2, meaning: "When it was refused."},
	"Refusal.Asked":     {from: record, unit: "instances", recorded: "one refusal says that the type is short; kept to see by how much"},
	"Refusal.Refused":   {from: ec2, unit: "instances", recorded: "one refusal says that the type is short; kept to see by how much"},
	"Refusal.Why":       {from: ec2, unit: "word"},
	"EC2View.Quota":     {from: ec2, unit: "instances"},
	"EC2View.Calls":     {from: record, unit: "calls", recorded: "every refusal tells its cause; kept for alerts"},
	"EC2View.Errors":    {from: ec2, unit: "calls", recorded: "every refusal tells its cause; kept for alerts"},
	"EC2View.Throttled": {from: ec2, unit: "calls", recorded: "every refusal tells its cause; kept for alerts"},

	"MoneyView.Reading":     {from: ec2, meaning: "When prices and spending were read, and whether all of them were."},
	"MoneyView.OnDemand":    {from: ec2, unit: "list of µUSD per hour"},
	"MoneyView.Spot":        {from: ec2, unit: "list of µUSD per hour"},
	"MoneyView.SpentHour":   {from: record, recorded: "the guard bounds the price of an hour of what is alive instead; kept for reports"},
	"MoneyView.SpentDay":    {from: record},
	"MoneyView.SpentMonth":  {from: record},
	"MoneyView.BudgetHour":  {from: config, recorded: "limits stand in [guard]; kept to show spending against it"},
	"MoneyView.BudgetDay":   {from: config, recorded: "limits stand in [guard]; kept to show spending against it"},
	"MoneyView.BudgetMonth": {from: config, recorded: "limits stand in [guard]; kept to show spending against it"},

	"HistoryView.Reading":          {from: record, meaning: "When the history was brought up to date, and whether all of it was."},
	"HistoryView.ProfileMean":      {from: learned, unit: "reference cores", recorded: "skynet keeps a profile by class in its own state; this one is of all work, for people"},
	"HistoryView.ProfileP90":       {from: learned, unit: "reference cores", recorded: "as profile_mean"},
	"HistoryView.NextMean":         {from: learned, unit: "reference cores", recorded: "as profile_mean"},
	"HistoryView.Level":            {from: learned, unit: "ratio", recorded: "as profile_mean"},
	"HistoryView.Trend":            {from: learned, unit: "ratio", recorded: "as profile_mean"},
	"HistoryView.Slack24h":         {from: record, unit: "fraction"},
	"HistoryView.SlackOver":        {from: record},
	"HistoryView.ReadySlotSeconds": {from: record, unit: "slot-seconds"},
	"HistoryView.BusySlotSeconds":  {from: record, unit: "slot-seconds"},
	"Outcome.At":                   {from: record, meaning: "When it was decided.", recorded: "what became of a launch is in fleet.instances and ec2.refusals; kept to explain decisions"},
	"Outcome.Asked":                {from: record, unit: "instances", recorded: "as at"},
	"Outcome.Launched":             {from: record, unit: "instances", recorded: "as at"},
	"Outcome.Refused":              {from: record, unit: "instances", recorded: "as at"},
	"Outcome.Drained":              {from: record, unit: "instances", recorded: "as at"},

	"HealthView.Reading":       {from: clock, meaning: "When the health of the signals was judged, and whether all of it was.", recorded: "every section says itself how far it can be believed"},
	"HealthView.SilentWorkers": {from: workers, unit: "instances", recorded: "each of them is in fleet.instances with phase lost; kept for alerts"},
	"HealthView.QueueCalls":    {from: record, unit: "calls", recorded: "a queue that cannot be read is in queue.reading; kept for alerts"},
	"HealthView.QueueErrors":   {from: queue, unit: "calls", recorded: "as queue_calls"},
	"HealthView.Progress":      {from: queue},
}
