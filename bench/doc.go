// Bench measures the simulator, the policies and the trace readers, and prints
// each figure beside its goal as a Markdown table.
//
//	go run ./bench                    everything but the year, about a minute
//	go run ./bench -only engine       one section: engine, traces, ticks, cores, year
//	go run ./bench -long              the year as well: 100 million jobs, streamed
//
// Costs are CPU time of this process (user and system), so that a busy machine
// disturbs them little; the two-cores figure is wall time and wants a quiet
// machine. Things compared with one another are run in turn, round by round,
// and a figure is the median over the rounds. It reports and never fails:
// differences below a third mean nothing.
package main
