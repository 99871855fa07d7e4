package server

import (
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/skynet-ec2/skynet/live/api"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// figures counts calls for /metrics and collects the queue's own figures when
// somebody asks.
type figures struct {
	server *Server
	serve  http.Handler
	calls  *prometheus.CounterVec
	took   *prometheus.HistogramVec

	mu     sync.Mutex
	byCode map[api.Code]int64
}

func newFigures(s *Server) *figures {
	f := &figures{
		server: s,
		byCode: map[api.Code]int64{},
		calls:  prometheus.NewCounterVec(prometheus.CounterOpts{Name: "skynet_http_calls_total", Help: "Calls answered, by call and status."}, []string{"call", "status"}),
		took: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "skynet_http_call_seconds", Help: "Time from a call's arrival to its answer, waiting for work included.",
			Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30},
		}, []string{"call"}),
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(f.calls, f.took, f, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	f.serve = promhttp.HandlerFor(registry, promhttp.HandlerOpts{EnableOpenMetrics: true})
	return f
}

// observe counts a call that was answered.
func (f *figures) observe(call string, status int, took time.Duration) {
	f.calls.WithLabelValues(call, strconv.Itoa(status)).Inc()
	f.took.WithLabelValues(call).Observe(took.Seconds())
}

// refused counts a call that was refused.
func (f *figures) refused(code api.Code) {
	f.mu.Lock()
	f.byCode[code]++
	f.mu.Unlock()
}

// errors returns the calls that were refused, by code.
func (f *figures) errors() map[string]int64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	all := make(map[string]int64, len(f.byCode))
	for code, n := range f.byCode {
		all[string(code)] = n
	}
	return all
}

// desc describes a figure of the queue.
func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("skynet_queue_"+name, help, labels, nil)
}

var (
	descLeader    = desc("leader", "1 if this process leads.")
	descEpoch     = desc("epoch", "Number of the leader.")
	descJobs      = desc("jobs", "Jobs by state.", "state")
	descWaiting   = desc("waiting_jobs", "Jobs in line.", "type", "priority")
	descLeased    = desc("leased_jobs", "Jobs that run.", "type", "priority")
	descWork      = desc("waiting_work_core_seconds", "Work expected of the jobs in line, on the reference core.", "type", "priority")
	descOldest    = desc("oldest_wait_seconds", "How long the first job in line waits.", "type", "priority")
	descWorkers   = desc("workers", "Workers by condition.", "condition")
	descSlots     = desc("slots", "Slots of the workers that were heard of lately.")
	descSlotsBusy = desc("slots_busy", "Slots that run a job.")
	descParked    = desc("parked_calls", "Calls that wait for something to happen.")
	descEvents    = desc("events_total", "What ever happened, across leaders.", "event")
)

// Describe is of prometheus.Collector.
func (f *figures) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{descLeader, descEpoch, descJobs, descWaiting, descLeased, descWork, descOldest, descWorkers, descSlots, descSlotsBusy, descParked, descEvents} {
		out <- d
	}
}

// Collect is of prometheus.Collector.
func (f *figures) Collect(out chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	gauge(descParked, float64(f.server.parked.inside()))
	engine := f.server.engine.Load()
	if engine == nil {
		gauge(descLeader, 0)
		return
	}
	s := (*engine).Stats("")
	gauge(descLeader, 1)
	gauge(descEpoch, float64(s.Epoch))
	for _, state := range api.States {
		gauge(descJobs, float64(s.States[state]), string(state))
	}
	for _, p := range s.Pending {
		labels := []string{p.Type, fmt.Sprint(p.Priority)}
		gauge(descWaiting, float64(p.Waiting), labels...)
		gauge(descLeased, float64(p.Leased), labels...)
		gauge(descWork, p.EstimateS, labels...)
		gauge(descOldest, p.OldestS, labels...)
	}
	gauge(descWorkers, float64(s.Workers.Workers), "heard")
	gauge(descWorkers, float64(s.Workers.Silent), "silent")
	gauge(descWorkers, float64(s.Workers.Draining), "draining")
	gauge(descSlots, float64(s.Workers.Slots))
	gauge(descSlotsBusy, float64(s.Workers.SlotsBusy))
	t := s.Totals
	for _, e := range []struct {
		name string
		n    int64
	}{
		{"enqueued", t.Enqueued},
		{"repeated", t.Repeated},
		{"leased", t.Leased},
		{"completed", t.Completed},
		{"failed", t.Failed},
		{"past_deadline", t.PastDeadline},
		{"released", t.Released},
		{"lost", t.Lost},
		{"dead", t.Dead},
		{"quarantined", t.Quarantined},
		{"cancelled", t.Cancelled},
		{"adopted", t.Adopted},
	} {
		out <- prometheus.MustNewConstMetric(descEvents, prometheus.CounterValue, float64(e.n), e.name)
	}
}

func (c *call) metrics() error {
	if err := c.wholeQueue(); err != nil {
		return err
	}
	c.figures.serve.ServeHTTP(c.w, c.r)
	return nil
}
