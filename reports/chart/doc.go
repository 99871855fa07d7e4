// Package chart draws series of numbers: series in, figure out, as SVG or PNG.
//
//	f := chart.Figure{
//		Title: "Queue",
//		X:     chart.Axis{Scale: chart.Clock, Origin: start, Min: 0, Max: 3600},
//		Panels: []chart.Panel{{
//			Y:      chart.Axis{Label: "jobs"},
//			Series: []chart.Series{{Name: "waiting", X: seconds, Y: jobs, Kind: chart.Step}},
//		}},
//	}
//	err := f.SVG(w)
//
// Properties of every figure:
//   - the same figure gives the same bytes
//   - it renders whatever the numbers are: none, one, all NaN, infinite
//   - no label overlaps another, and no legend covers data
//   - a series of more than PointsMax points is thinned by Thin, which keeps
//     every peak
//   - colours are those of Okabe and Ito, which the colour-blind tell apart, and
//     series differ in dash pattern too
//
// It knows nothing of fleets and jobs, so that the live dashboard may use it.
package chart
