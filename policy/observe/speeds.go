package observe

import (
	"cmp"
	"math"
	"slices"

	"github.com/skynet-ec2/skynet/policy/detmath"
)

// speedLearner learns how fast the slots of instance types are, from how long like
// jobs ran on them: for every job type and size that ran on two instance types,
// the ratio of their medians tells the ratio of their speeds.
//
// Properties:
//   - before a type has speedSamples jobs of one kind on itself and on the type
//     that most jobs ran on, its speed is the catalog's
//   - a speed is within a factor of speedBound of the catalog's
//   - it moves when the evidence differs from it by more than speedStep, so that
//     what is learned in its unit is not shaken by chance
type speedLearner struct {
	cells     []speedCell // by type, size, instance type
	reference int         // catalog index of the type the others are measured against; −1: none yet
	speeds    []float64   // in force, by catalog index
	differ    bool        // from the catalog's
	fresh     bool        // something ran since they were last estimated
}

// speedCell is how long jobs of a type and size ran on an instance type.
type speedCell struct {
	jobType string
	size    uint8
	typ     int // catalog index
	n       float64
	hist    [workBuckets]float32
}

const (
	// speedSamples are how many jobs of a kind a median rests on at least.
	speedSamples = 30
	// speedPrior is how many jobs the catalog's figure counts for.
	speedPrior = 100
	// speedMemory is after how many jobs of a kind the older ones count half.
	speedMemory = 4000
	// speedBound is how far a learned speed may be from the catalog's, as a factor.
	speedBound = 2
	// speedStep is by how much a speed must be off to be moved, as a fraction.
	speedStep = 0.03
)

func newSpeedLearner(catalog []float64) speedLearner {
	return speedLearner{reference: -1, speeds: catalog}
}

// cell returns the counters of a kind on a type.
func (l *speedLearner) cell(jobType string, size uint8, typ int) *speedCell {
	i, found := slices.BinarySearchFunc(l.cells, speedCell{jobType: jobType, size: size, typ: typ}, func(a, b speedCell) int {
		return cmp.Or(cmp.Compare(a.jobType, b.jobType), cmp.Compare(a.size, b.size), cmp.Compare(a.typ, b.typ))
	})
	if !found {
		l.cells = slices.Insert(l.cells, i, speedCell{jobType: jobType, size: size, typ: typ})
	}
	return &l.cells[i]
}

// ran counts jobs by the bucket of the time they ran.
func (l *speedLearner) ran(jobType string, size uint8, typ int, times []Bucket) {
	c := l.cell(jobType, size, typ)
	for _, b := range times {
		if b.Of >= 0 && b.Of < workBuckets && b.Jobs > 0 {
			c.hist[b.Of] += float32(b.Jobs)
			c.n += float64(b.Jobs)
			l.fresh = true
		}
	}
	for c.n > speedMemory {
		c.n = 0
		for b := range c.hist {
			c.hist[b] /= 2
			c.n += float64(c.hist[b])
		}
	}
}

// median returns the time half of the jobs took less than, in seconds.
func (c *speedCell) median() float64 {
	sum, half := 0.0, float64(c.n/2)
	for b := range c.hist {
		n := float64(c.hist[b])
		if n > 0 && sum+n >= half {
			high := float64(workUpper(b))
			low := 0.0
			if b > 0 {
				low = float64(workUpper(b - 1))
			}
			return low + float64((high-low)*((half-sum)/n))
		}
		sum += n
	}
	return 0
}

// estimate moves the speeds to what the evidence says.
func (l *speedLearner) estimate(catalog []float64) {
	if !l.fresh {
		return
	}
	l.fresh = false
	l.choose(len(catalog))
	if l.reference < 0 {
		return
	}
	for typ := range catalog {
		if typ == l.reference {
			continue
		}
		ratio, jobs := l.against(typ)
		if jobs == 0 {
			continue
		}
		// against the catalog, in logarithms: errors of ratios are symmetric there
		off := detmath.Log(l.speeds[l.reference] * ratio / catalog[typ])
		off *= jobs / (jobs + speedPrior)
		bound := detmath.Log(speedBound)
		speed := catalog[typ] * detmath.Exp(min(max(off, -bound), bound))
		if math.Abs(speed/l.speeds[typ]-1) > speedStep {
			l.speeds[typ] = speed
		}
	}
	l.differ = !slices.Equal(l.speeds, catalog)
}

// choose makes the type that most jobs ran on the reference; another takes its
// place when twice as many ran there.
func (l *speedLearner) choose(types int) {
	jobs := make([]float64, types)
	for i := range l.cells {
		jobs[l.cells[i].typ] += l.cells[i].n
	}
	most := 0
	for typ, n := range jobs {
		if n > jobs[most] {
			most = typ
		}
	}
	if n := jobs[most]; n >= speedSamples && (l.reference < 0 || n > float64(2*jobs[l.reference])) {
		l.reference = most
	}
}

// against returns how much faster a type is than the reference: the median over
// the kinds that ran on both, each weighted by the jobs it rests on, and how many
// jobs all of them rest on.
func (l *speedLearner) against(typ int) (ratio, jobs float64) {
	type evidence struct{ ratio, weight float64 }
	var all []evidence
	for i := range l.cells {
		c := &l.cells[i]
		if c.typ != typ || c.n < speedSamples {
			continue
		}
		for k := range l.cells {
			r := &l.cells[k]
			if r.typ != l.reference || r.jobType != c.jobType || r.size != c.size || r.n < speedSamples {
				continue
			}
			if own, other := c.median(), r.median(); own > 0 && other > 0 {
				all = append(all, evidence{other / own, min(c.n, r.n)})
				jobs += min(c.n, r.n)
			}
		}
	}
	slices.SortFunc(all, func(a, b evidence) int { return cmp.Compare(a.ratio, b.ratio) })
	sum := 0.0
	for _, e := range all {
		if sum += e.weight; sum >= jobs/2 {
			return e.ratio, jobs
		}
	}
	return 0, 0
}

// Ran notes that jobs of a type and size completed on an instance type, by the
// bucket (WorkBucket) of the time they ran, in nanoseconds.
func (r *Recorder) Ran(jobType string, size uint8, instanceType string, times []Bucket) {
	if typ := r.env.Catalog.Index(instanceType); typ >= 0 && len(times) > 0 {
		r.speeds.ran(jobType, size, typ, times)
	}
}

// Speed returns how fast a slot of a type is, in reference cores, for all that is
// known.
func (r *Recorder) Speed(typ int) float64 { return r.speeds.speeds[typ] }

// catalogSpeeds returns the speeds of the catalog.
func (r *Recorder) catalogSpeeds() []float64 {
	speeds := make([]float64, len(r.env.Catalog.Types))
	for i := range speeds {
		speeds[i] = r.env.Catalog.Types[i].Speed
	}
	return speeds
}

// speedsMemory is what is remembered of speeds: by the names of instance types,
// since a catalog may change.
type speedsMemory struct {
	Reference string             `json:"reference,omitempty"`
	Speeds    map[string]float64 `json:"speeds,omitempty"`
	Cells     []speedCellMemory  `json:"cells,omitempty"`
}

type speedCellMemory struct {
	Type         string    `json:"type"`
	Size         uint8     `json:"size,omitempty"`
	InstanceType string    `json:"instance_type"`
	Buckets      []int     `json:"buckets"`
	Jobs         []float32 `json:"jobs"`
}

// rememberedSpeeds returns what has been learned; nil: nothing.
func (r *Recorder) rememberedSpeeds() *speedsMemory {
	l, types := &r.speeds, r.env.Catalog.Types
	if len(l.cells) == 0 {
		return nil
	}
	m := &speedsMemory{Speeds: map[string]float64{}}
	if l.reference >= 0 {
		m.Reference = types[l.reference].Name
	}
	for i, speed := range l.speeds {
		m.Speeds[types[i].Name] = speed
	}
	for i := range l.cells {
		c := &l.cells[i]
		x := speedCellMemory{Type: c.jobType, Size: c.size, InstanceType: types[c.typ].Name}
		for b, n := range c.hist {
			if n > 0 {
				x.Buckets, x.Jobs = append(x.Buckets, b), append(x.Jobs, n)
			}
		}
		m.Cells = append(m.Cells, x)
	}
	return m
}

// recallSpeeds takes over what was learned. What makes no sense, or is of a type
// that is not sold any more, is forgotten.
func (r *Recorder) recallSpeeds(m *speedsMemory) {
	if m == nil {
		return
	}
	l, catalog := &r.speeds, r.catalogSpeeds()
	for i := range m.Cells {
		x := &m.Cells[i]
		typ := r.env.Catalog.Index(x.InstanceType)
		if typ < 0 || len(x.Buckets) != len(x.Jobs) {
			continue
		}
		c := l.cell(x.Type, x.Size, typ)
		for k, b := range x.Buckets {
			if b >= 0 && b < workBuckets && x.Jobs[k] > 0 {
				c.hist[b] += x.Jobs[k]
				c.n += float64(x.Jobs[k])
			}
		}
	}
	l.reference = r.env.Catalog.Index(m.Reference)
	for i := range l.speeds {
		if speed := m.Speeds[r.env.Catalog.Types[i].Name]; speed >= catalog[i]/speedBound && speed <= float64(speedBound*catalog[i]) {
			l.speeds[i] = speed
		}
	}
	l.fresh = true
	l.differ = !slices.Equal(l.speeds, catalog)
}
