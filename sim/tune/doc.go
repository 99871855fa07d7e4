// Package tune searches a policy's declared parameters for the cheapest that
// keep their promises, and judges what it found on weeks it did not search on.
//
// It knows no scenario: its caller says what a week is, simulates candidates on
// weeks (a Runner does), and writes the result down. A tuning is a function of
// its Config and of what the runs come to: whatever runs them, in whatever order
// and however many at once, and however often it was interrupted and resumed,
// the Outcome is the same.
//
// The search has four parts, each with a share of the budget of runs:
//
//  1. Halton points, in the whole box and in smaller ones around the defaults,
//     are halved over more and more weeks.
//  2. CMA-ES goes on from the best of them. All candidates of a generation meet
//     the same weeks.
//  3. The finalists meet weeks that the search has not seen. OCBA gives the runs
//     to those between which the choice is close.
//  4. The chosen ones and the defaults are judged on weeks that nothing before
//     has seen.
//
// Parameters declared Fixed are never moved; guards are no parameters of a
// policy, so no search can reach them.
package tune
