// Package journal is the record of what a policy saw and decided. The simulator
// and production write the same, so that either can be replayed, explained and
// put before another policy. Format and examples: docs/journal.md.
//
// A journal is lines of JSON: a header that says who decides in which world;
// the policy's state, before the first decision and hourly; and one line for
// each decision, with the observation, the decision, the hash of the state after
// it, and what became of it. Files may follow each other; each begins with a
// header.
//
// Writing is two steps a decision, as a caller must (package policy, duty 4):
//
//	w.Before(&observation, policy)   // the state, where one is due
//	decision := guarded.Step(&observation)
//	w.Decided(&observation, &decision, removed, policy)
//	// save, flush, apply
//	w.Became(outcome)                // completes the line
//
// A process that dies while it applies a decision leaves a line that lacks only
// its end: a Reader told to accept that reads the decision all the same.
//
// The package opens no files and compresses nothing: it writes to an io.Writer
// and reads from what a Source opens. traces/compressed does the rest for both
// worlds.
package journal
