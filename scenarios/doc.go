// Package scenarios reads scenario and policy files and makes worlds of them:
// what is simulated, what is promised, and who decides. The files themselves
// stand beside this package.
//
// # The keys
//
// Every key of a scenario is a tagged field of Scenario or of one of the
// structs it holds. The tags alone say what a key is called, what it may be,
// what leaving it out means and what it is for; the decoder, Show and
// docs/scenario.md follow from them. To add a key, add a field.
//
// Reading is strict. A key that is not known (keys are case-sensitive), a value
// of the wrong type, a duration without its unit, NaN, a value out of bounds, a
// class that no job can reach and a promise about a figure that does not exist
// are all errors, and all of them are reported at once, as Problems.
//
//	s, err := scenarios.Load("scenarios/photo-week.toml")
//	w, err := s.World()
//	result, err := w.Run(ctx, nil, s.Seed, sim.Options{})
//	for _, v := range s.Judge(&result.Figures) {
//		…
//	}
package scenarios

//go:generate go test -run ^TestDocumentIsCurrent$ . -update
