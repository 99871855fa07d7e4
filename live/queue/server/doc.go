// Package server serves the queue over HTTP: the calls of package api. It knows
// who calls, what they may see, whether what they say makes sense, and how to say
// no; what becomes of jobs is the engine's affair.
//
// What a caller sends never makes it answer 500: bad input is a 4xx whose body
// names the field. A caller whose token is bound to a tenant sees that tenant's
// jobs and groups as if there were no others.
package server
