package chart

import "time"

// Figure is a drawing of panels above each other on one x axis. The zero
// Figure is an empty drawing.
type Figure struct {
	// Title stands above the panels, except where the figure is embedded.
	Title string
	// X is shared by the panels. Its Min and Max decide what is shown.
	X      Axis
	Panels []Panel
	// Shades mark stretches of x behind all panels.
	Shades []Shade
}

// Panel is one rectangle of data.
type Panel struct {
	// Name stands above the panel; may be empty.
	Name   string
	Y      Axis
	Series []Series
	Rules  []Rule
	// Height of the rectangle in pixels; 0: 220, or 150 with other panels.
	Height float64
	// Empty is what a panel without data says; empty: "no data".
	Empty string
}

// Axis is how numbers become places. The zero Axis is linear, shows plain
// numbers, and reaches as far as the data.
type Axis struct {
	// Label names the quantity and its unit.
	Label string
	Scale Scale
	Unit  Unit
	// Min and Max bound what is shown; equal: the data decide. A y axis that
	// the data decide includes 0 unless it is logarithmic. Data beyond the
	// bounds are drawn on the edge.
	Min, Max float64
	// Prefix stands before every number, "$ " for instance.
	Prefix string
	// Origin is the calendar time of 0 on a Clock axis. It is shown as it reads
	// in UTC: for a clock elsewhere, add that clock's offset.
	Origin time.Time
}

// Scale is how an axis spreads its numbers.
type Scale uint8

const (
	// Linear spreads differences evenly.
	Linear Scale = iota
	// Log spreads ratios evenly. Numbers at or below 0 are drawn at its start.
	Log
	// Clock is linear in seconds since Origin, labelled by the calendar.
	Clock
)

// Unit is what an axis counts in; it decides where ticks fall.
type Unit uint8

const (
	// Number ticks are multiples of 1, 2 or 5 times a power of ten.
	Number Unit = iota
	// Count ticks are whole numbers.
	Count
	// Share is a fraction, written in percent.
	Share
	// Seconds tick at whole seconds, minutes, hours and days.
	Seconds
)

// Kind is how a series is drawn.
type Kind uint8

const (
	// Line joins the points; NaN breaks it.
	Line Kind = iota
	// Step holds each value until the next point.
	Step
	// Area fills from Low to the stepped values.
	Area
	// Bars fills from Low to each value, from its X for Width.
	Bars
	// Points marks each point with a cross.
	Points
)

// Series is a row of points, ascending in X.
type Series struct {
	// Name is its legend; empty: none.
	Name string
	X, Y []float64
	Kind Kind
	// Low is the lower edge of areas and bars; nil: 0.
	Low []float64
	// Width of bars in units of x.
	Width float64
	Hue   Hue
	Dash  Dash
	// Thin draws a fine line: for detail behind a bolder series.
	Thin bool
}

// Rule is a straight line across a panel at one value.
type Rule struct {
	// Name is its legend; empty: none.
	Name string
	At   float64
	// Vertical rules stand at an x, others lie at a y.
	Vertical bool
	Hue      Hue
	Dash     Dash
	// To makes the rule a band from At to To; 0: a line.
	To float64
}

// Shade marks the x from From to To. Shades of one name are named once.
type Shade struct {
	Name     string
	From, To float64
	// Hue of the shade; Ink: a pale grey.
	Hue Hue
}

// PointsMax is how many points of a series are drawn.
const PointsMax = 2000
