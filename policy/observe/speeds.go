package observe

import (
	"cmp"
	"math"
	"slices"

	"github.com/skynet-ec2/skynet/policy/detmath"
)

// speedLearner learns how fast the slots of instance types are, from how long like jobs
// ran on them: where jobs of one type and size ran on two instance types, the ratio of
// their median times is the inverse ratio of the speeds.
//
// Properties:
//   - before an instance type has speedSamplesLeast jobs of one kind on itself and on
//     the reference, its speed is the catalog's
//   - a speed is within a factor of speedFactorMost of the catalog's
//   - it moves when the evidence differs from it by more than speedMoveLeast, so that
//     what is learned in its unit is not shaken by chance
type speedLearner struct {
	cells []speedCell // ordered by job type, size, instance type
	// reference is the catalog index of the type that others are measured against, the
	// one that most jobs ran on; −1: none yet.
	reference int
	speeds    []float64 // in force, by catalog index, in reference cores a slot
	changed   bool      // a speed in force is not the catalog's
	stale     bool      // something ran since the speeds were estimated
}

// speedCell is how long jobs of a type and size ran on an instance type.
type speedCell struct {
	jobType      string
	size         uint8
	instanceType int // catalog index
	jobs         float64
	hist         [workBuckets]float32 // of these, by the time they ran
}

const (
	// speedSamplesLeast is how many jobs of a kind a median rests on at least.
	speedSamplesLeast = 30
	// speedPriorJobs is how many jobs the catalog's figure counts for.
	speedPriorJobs = 100
	// speedMemoryJobs is after how many jobs of a kind the older ones count half.
	speedMemoryJobs = 4000
	// speedFactorMost is how far a learned speed may be from the catalog's, as a factor.
	speedFactorMost = 2
	// speedMoveLeast is by how much a speed must be off to be moved, as a fraction.
	speedMoveLeast = 0.03
	// referenceLead is how many times the jobs of the reference a type must have to
	// take its place: all speeds are measured anew then.
	referenceLead = 2
)

// newSpeedLearner returns a learner that knows the speeds of the catalog.
func newSpeedLearner(catalog []float64) speedLearner {
	return speedLearner{reference: -1, speeds: catalog}
}

// cell returns the cell of jobs of a type and size on an instance type, a new one on first
// use.
func (l *speedLearner) cell(jobType string, size uint8, typ int) *speedCell {
	i, found := slices.BinarySearchFunc(l.cells, speedCell{jobType: jobType, size: size, instanceType: typ}, func(a, b speedCell) int {
		return cmp.Or(cmp.Compare(a.jobType, b.jobType), cmp.Compare(a.size, b.size), cmp.Compare(a.instanceType, b.instanceType))
	})
	if !found {
		l.cells = slices.Insert(l.cells, i, speedCell{jobType: jobType, size: size, instanceType: typ})
	}
	return &l.cells[i]
}

// ran counts jobs by the time they ran, in buckets of WorkBucket.
func (l *speedLearner) ran(jobType string, size uint8, typ int, times []Bucket) {
	c := l.cell(jobType, size, typ)
	for _, b := range times {
		if b.Of >= 0 && b.Of < workBuckets && b.Jobs > 0 {
			c.hist[b.Of] += float32(b.Jobs)
			c.jobs += float64(b.Jobs)
			l.stale = true
		}
	}
	for c.jobs > speedMemoryJobs {
		c.jobs = 0
		for b := range c.hist {
			c.hist[b] /= 2
			c.jobs += float64(c.hist[b])
		}
	}
}

// median returns the time, in seconds, that half of the jobs took less than: interpolated
// within its bucket.
func (c *speedCell) median() float64 {
	sum, half := 0.0, float64(c.jobs/2)
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

// estimate moves the speeds to what the evidence says, given those of the catalog. The
// catalog's speed of the reference stands.
func (l *speedLearner) estimate(catalog []float64) {
	if !l.stale {
		return
	}
	l.stale = false
	l.chooseReference(len(catalog))
	if l.reference < 0 {
		return
	}
	for typ := range catalog {
		if typ == l.reference {
			continue
		}
		ratio, jobs := l.ratioToReference(typ)
		if jobs == 0 {
			continue
		}
		// how far off the catalog is, in logarithms, where errors of ratios are symmetric
		off := detmath.Log(l.speeds[l.reference] * ratio / catalog[typ])
		off *= jobs / (jobs + speedPriorJobs)
		bound := detmath.Log(speedFactorMost)
		speed := catalog[typ] * detmath.Exp(min(max(off, -bound), bound))
		if math.Abs(speed/l.speeds[typ]-1) > speedMoveLeast {
			l.speeds[typ] = speed
		}
	}
	l.changed = !slices.Equal(l.speeds, catalog)
}

// chooseReference makes the type that most jobs ran on the reference, or lets it be if
// that one has no referenceLead over it.
func (l *speedLearner) chooseReference(types int) {
	jobs := make([]float64, types)
	for i := range l.cells {
		jobs[l.cells[i].instanceType] += l.cells[i].jobs
	}
	most := 0
	for typ, n := range jobs {
		if n > jobs[most] {
			most = typ
		}
	}
	if n := jobs[most]; n >= speedSamplesLeast && (l.reference < 0 || n > float64(referenceLead*jobs[l.reference])) {
		l.reference = most
	}
}

// ratioToReference returns how many times as fast as the reference a type is, and how many
// jobs that rests on: the weighted median over the kinds of jobs that ran on both, each
// weighted by the smaller number of its jobs. Both are 0 without such a kind.
func (l *speedLearner) ratioToReference(typ int) (ratio, jobs float64) {
	type evidence struct{ ratio, weight float64 }
	var all []evidence
	for i := range l.cells {
		c := &l.cells[i]
		if c.instanceType != typ || c.jobs < speedSamplesLeast {
			continue
		}
		for k := range l.cells {
			r := &l.cells[k]
			if r.instanceType != l.reference || r.jobType != c.jobType || r.size != c.size || r.jobs < speedSamplesLeast {
				continue
			}
			if own, other := c.median(), r.median(); own > 0 && other > 0 {
				all = append(all, evidence{other / own, min(c.jobs, r.jobs)})
				jobs += min(c.jobs, r.jobs)
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

// Ran notes that jobs of a type and size completed on an instance type, by the time that
// they ran there, in buckets of WorkBucket.
func (r *Recorder) Ran(jobType string, size uint8, instanceType string, times []Bucket) {
	if typ := r.env.Catalog.Index(instanceType); typ >= 0 && len(times) > 0 {
		r.speeds.ran(jobType, size, typ, times)
	}
}

// Speed returns the speed of a slot of the type at a catalog index, in reference cores:
// what was learned, or else the catalog's.
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

// speedCellMemory is a speedCell as it is remembered: Jobs by Buckets, empty ones left
// out.
type speedCellMemory struct {
	Type         string    `json:"type"`
	Size         uint8     `json:"size,omitempty"`
	InstanceType string    `json:"instance_type"`
	Buckets      []int     `json:"buckets"`
	Jobs         []float32 `json:"jobs"`
}

// rememberedSpeeds returns what has been learned of speeds; nil where that is nothing.
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
		x := speedCellMemory{Type: c.jobType, Size: c.size, InstanceType: types[c.instanceType].Name}
		for b, n := range c.hist {
			if n > 0 {
				x.Buckets, x.Jobs = append(x.Buckets, b), append(x.Jobs, n)
			}
		}
		m.Cells = append(m.Cells, x)
	}
	return m
}

// recallSpeeds takes over what rememberedSpeeds returned. It leaves out what makes no
// sense, and types that are no longer sold.
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
				c.jobs += float64(x.Jobs[k])
			}
		}
	}
	l.reference = r.env.Catalog.Index(m.Reference)
	for i := range l.speeds {
		if speed := m.Speeds[r.env.Catalog.Types[i].Name]; speed >= catalog[i]/speedFactorMost && speed <= float64(speedFactorMost*catalog[i]) {
			l.speeds[i] = speed
		}
	}
	l.stale = true
	l.changed = !slices.Equal(l.speeds, catalog)
}
