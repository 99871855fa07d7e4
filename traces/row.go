package traces

// row is one job as a file tells it, before it becomes part of a Batch.
type row struct {
	arrival, service   int64
	estimate, deadline int64
	bytesIn, bytesOut  int64
	typeID             uint32
	tenant             uint32
	priority           uint8
	width              uint32 // cores the job held at once; 0 counts as 1
}

// columnSet says which optional columns a file has.
type columnSet struct {
	optional [4]bool // in the order of Batch.optional
	tenant   bool
}

// append adds a row to b, whose kinds and tenants are numbered by kinds and
// tenants.
func (r *row) append(b *Batch, kinds *kindSet, has *columnSet) error {
	kind, err := kinds.kind(r.typeID, r.priority, SizeBucket(r.bytesIn))
	if err != nil {
		return &rowError{why: BadType, detail: err.Error()}
	}
	b.Arrival = append(b.Arrival, r.arrival)
	b.Service = append(b.Service, r.service)
	b.Kind = append(b.Kind, kind)
	if has.optional[0] {
		b.Estimate = append(b.Estimate, r.estimate)
	}
	if has.optional[1] {
		b.Deadline = append(b.Deadline, r.deadline)
	}
	if has.optional[2] {
		b.BytesIn = append(b.BytesIn, r.bytesIn)
	}
	if has.optional[3] {
		b.BytesOut = append(b.BytesOut, r.bytesOut)
	}
	if has.tenant {
		b.Tenant = append(b.Tenant, r.tenant)
	}
	return nil
}

// Reason says why an import dropped a row.
type Reason string

// The reasons, in the order a summary lists them.
const (
	NoArrival     Reason = "no arrival time"
	NoService     Reason = "no service time"
	ServiceNot    Reason = "service not positive"
	BadNumber     Reason = "not a number"
	BadTime       Reason = "not a time"
	OutOfRange    Reason = "out of range"
	BadType       Reason = "bad type or tenant"
	FieldCount    Reason = "wrong number of fields"
	BadQuotes     Reason = "misplaced quote"
	PartialRecord Reason = "partial execution"
	Duplicate     Reason = "duplicate"
)

// reasons lists every Reason in the order of a summary.
var reasons = []Reason{
	NoArrival, NoService, ServiceNot, BadNumber, BadTime, OutOfRange, BadType, FieldCount, BadQuotes, PartialRecord, Duplicate,
}

// rowError is what is wrong with one row. An import drops the row and counts
// it; a strict reader stops.
type rowError struct {
	why    Reason
	column string
	value  string
	detail string // what is allowed
}

func (e *rowError) Error() string { return e.detail }

// at returns e as the error of a strict reader.
func (e *rowError) at(file string, line int64) *InputError {
	return &InputError{
		File: file, Line: line, Column: e.column, Value: e.value, Reason: e.detail, Fix: runImport(file), Err: e,
	}
}
