// Package traces reads, writes, generates, reshapes and measures job traces:
// what arrived when, how long it took, and what a controller could have known
// of it beforehand.
//
// A Source yields jobs in arrival order, a Batch of columns at a time. Files
// come from Open (strict: the first bad row is an error that says where) or
// from Import (lenient: bad rows are dropped and counted). Generators such as
// PhotoSite are Sources as well, and so are the adaptors Amplify, Scale and
// Cut, which change jobs as they pass. All of them stream: their memory does
// not grow with the trace. Load keeps a trace in memory, compactly, for
// simulations that run it many times.
//
//	src, err := traces.Open("week.parquet", traces.Options{})
//	if err != nil {
//		return err
//	}
//	defer src.Close()
//	var b traces.Batch
//	for {
//		if err := src.Next(&b); err == io.EOF {
//			break
//		} else if err != nil {
//			return err
//		}
//		for i, at := range b.Arrival {
//			use(at, b.Service[i], b.Kinds[b.Kind[i]])
//		}
//	}
//
// source.go and job.go hold what every reader and writer speaks; open.go lists the
// formats, each of which has files of its own.
//
// Time is counted in whole nanoseconds from the trace's start. Nothing here
// reads a clock or a global source of randomness: the same file, parameters
// and seed give the same jobs on every machine.
package traces
