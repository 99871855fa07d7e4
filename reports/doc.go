// Package reports shows the results of simulations to people and programs: the
// verdict on a terminal, figures as JSON, the state at every tick as CSV, and a
// folder with plots and a page.
//
// Every file it writes appears whole or not at all, and is a function of the
// results: the same results give the same bytes.
package reports
