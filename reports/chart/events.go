package chart

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// Events are moments of a clock chart that carry a text: marks above its first
// panel, told in full where the crosshair meets them and in a table that can be
// searched. The zero Events are none.
type Events struct {
	// Noun names one of them, Note says what they are.
	Noun, Note string
	// Marks leaves the table out: the page lists them elsewhere.
	Marks bool
	// Lanes are the rows of marks, the first at the top.
	Lanes []Lane
	List  []Event
}

// Lane is a row of marks of one kind.
type Lane struct {
	Name string
	Hue  Hue
}

// Event is one moment. The zero Event is at the axis's origin and says nothing.
type Event struct {
	// At is in seconds since the axis's origin.
	At float64
	// Lanes are indices of those that mark it.
	Lanes []int
	// Title says what happened, in a few words, and Text why.
	Title string
	Text  []string
	// Weight orders events by what they matter, where there is no room for all.
	Weight float64
}

// eventData is how events travel: sentences once, with # in the place of each
// number, and of every event which sentences it has and with what numbers.
type eventData struct {
	Noun      string     `json:"noun"`
	Lanes     []laneData `json:"lanes"`
	Titles    []string   `json:"titles"`
	Sentences []string   `json:"sentences"`
	At        []int64    `json:"at"` // seconds, each since the one before
	Lane      []int      `json:"lane"`
	Title     []int      `json:"title"`
	Text      []string   `json:"text"` // sentence:number,number|sentence:…
}

type laneData struct {
	Name string `json:"name"`
	Hue  string `json:"hue"`
}

// eventsMax is how many bytes the texts of a chart's events may take.
const eventsMax = 300 << 10

// Fit returns the events that a chart has room for: all of them, or those that
// weigh most. They stand in the order of time.
func (e *Events) Fit() []Event {
	list := slices.Clone(e.List)
	byTime := func(a, b Event) int { return cmp.Compare(a.At, b.At) }
	slices.SortStableFunc(list, func(a, b Event) int { return cmp.Compare(b.Weight, a.Weight) })
	used, known := 0, map[string]bool{}
	once := func(text string) {
		if !known[text] {
			known[text] = true
			used += len(text) + 3
		}
	}
	for i := range list {
		const other = 14 // of its place, lanes and title
		used += other
		once(list[i].Title)
		for _, t := range list[i].Text {
			words, numbers := sentence(t)
			once(words)
			used += len(numbers) + 4
		}
		if used > eventsMax {
			list = list[:i]
			break
		}
	}
	slices.SortStableFunc(list, byTime)
	return list
}

func (e *Events) data() *eventData {
	d := &eventData{Noun: e.Noun}
	for _, l := range e.Lanes {
		d.Lanes = append(d.Lanes, laneData{l.Name, tones[l.Hue].name})
	}
	titles, sentences := map[string]int{}, map[string]int{}
	known := func(of map[string]int, list *[]string, text string) int {
		i, ok := of[text]
		if !ok {
			i = len(*list)
			of[text] = i
			*list = append(*list, text)
		}
		return i
	}
	before := int64(0)
	for _, x := range e.Fit() {
		at := int64(x.At)
		d.At = append(d.At, at-before)
		before = at
		mask := 0
		for _, l := range x.Lanes {
			mask |= 1 << l
		}
		d.Lane = append(d.Lane, mask)
		d.Title = append(d.Title, known(titles, &d.Titles, x.Title))
		var parts []string
		for _, t := range x.Text {
			words, numbers := sentence(t)
			parts = append(parts, strconv.Itoa(known(sentences, &d.Sentences, words))+":"+numbers)
		}
		d.Text = append(d.Text, strings.Join(parts, "|"))
	}
	return d
}

// sentence parts a text into its words, with # in the place of each number, and
// the numbers, parted by commas. A text that has a # of its own stays whole.
func sentence(text string) (words, numbers string) {
	if strings.ContainsRune(text, '#') {
		return strings.ReplaceAll(text, "#", "＃"), ""
	}
	var w strings.Builder
	var list []string
	for i := 0; i < len(text); {
		if !digit(text[i]) {
			w.WriteByte(text[i])
			i++
			continue
		}
		from := i
		for i < len(text) && (digit(text[i]) || text[i] == '.' && i+1 < len(text) && digit(text[i+1])) {
			i++
		}
		list = append(list, text[from:i])
		w.WriteByte('#')
	}
	return w.String(), strings.Join(list, ",")
}

func digit(c byte) bool { return c >= '0' && c <= '9' }
