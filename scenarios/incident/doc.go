// Package incident makes a scenario of a stretch of time that a controller lived
// through: its journal says who decided, with which parameters, state and limits,
// what fleet there was, and what went wrong; the trace of the queue's history says
// which jobs came. What is written is a folder that simulates at once.
//
// What of the time the simulator cannot show is named, in the folder and in
// Story.Notes: nothing is left out in silence.
package incident
