package traces

import (
	"errors"
	"io"
)

// Merge returns the jobs of several traces as one, in order of arrival; jobs
// of one instant stand in the order of their traces. Time 0 is the earliest
// start. A trace of unknown start begins at the others' time 0. It takes
// ownership of srcs: closing the result closes them.
func Merge(srcs ...Source) Source {
	if len(srcs) == 1 {
		return srcs[0]
	}
	m := &merged{}
	for i, src := range srcs {
		meta := src.Meta()
		if s := meta.Start; !s.IsZero() && (m.meta.Start.IsZero() || s.Before(m.meta.Start)) {
			m.meta.Start = s
		}
		switch {
		case i == 0:
			m.meta.Name, m.meta.Jobs, m.meta.ReferenceSpeed = meta.Name, max(meta.Jobs, -1), meta.ReferenceSpeed
		case m.meta.Jobs < 0 || meta.Jobs < 0:
			m.meta.Jobs = -1
		default:
			m.meta.Jobs += meta.Jobs
		}
		if meta.ReferenceSpeed != m.meta.ReferenceSpeed {
			m.meta.ReferenceSpeed = 0
		}
		m.parts = append(m.parts, &mergePart{src: src})
	}
	for _, p := range m.parts {
		if s := p.src.Meta().Start; !s.IsZero() {
			p.shift = int64(s.Sub(m.meta.Start))
		}
	}
	return m
}

type merged struct {
	parts   []*mergePart
	meta    Meta
	kinds   kindSet
	tenants tenantSet
	nobody  uint32 // the tenant of jobs that have none
	has     columnSet
	out     Batch
	n       int64
	begun   bool
}

// mergePart is one of the traces, read a batch ahead.
type mergePart struct {
	src     Source
	shift   int64 // ns from the merged trace's start to this one's
	in      Batch
	at      int // next job of in
	done    bool
	kind    []uint16 // numbers of its kinds in the merged trace
	tenant  []uint32
	arrival int64 // of the next job
}

// ready makes the part's next job known, if there is one.
func (p *mergePart) ready(m *merged) error {
	if p.done || p.at < p.in.Len() {
		return nil
	}
	if err := p.src.Next(&p.in); err == io.EOF {
		p.done = true
		return nil
	} else if err != nil {
		return err
	}
	p.at = 0
	p.arrival = p.in.Arrival[0] + p.shift
	for _, k := range p.in.Kinds[len(p.kind):] {
		n, err := m.kinds.named(k.Type, k.Priority, k.Size)
		if err != nil {
			return err
		}
		p.kind = append(p.kind, n)
	}
	for _, name := range p.in.Tenants[len(p.tenant):] {
		n, err := m.tenants.id([]byte(name))
		if err != nil {
			return err
		}
		p.tenant = append(p.tenant, n)
	}
	return nil
}

func (m *merged) Next(b *Batch) error {
	if !m.begun {
		// which columns there are must be known before the first batch goes out
		m.begun = true
		for _, p := range m.parts {
			if err := p.ready(m); err != nil {
				return err
			}
			for i, col := range p.in.optional() {
				m.has.optional[i] = m.has.optional[i] || *col != nil
			}
			m.has.tenant = m.has.tenant || p.in.Tenant != nil
		}
		if m.has.tenant {
			var err error
			if m.nobody, err = m.tenants.id(nil); err != nil {
				return err
			}
		}
	}
	m.out.reset()
	m.out.First = m.n
	for m.out.Len() < batchLen {
		var next *mergePart
		for _, p := range m.parts {
			if err := p.ready(m); err != nil {
				return err
			}
			if !p.done && (next == nil || p.arrival < next.arrival) {
				next = p
			}
		}
		if next == nil {
			break
		}
		if err := m.take(next); err != nil {
			return err
		}
	}
	m.n += int64(m.out.Len())
	if m.out.Len() == 0 {
		m.meta.Jobs = m.n
		return io.EOF
	}
	m.out.Kinds, m.out.Tenants = m.kinds.kinds, m.tenants.names
	*b = m.out
	return nil
}

// take appends the next job of p to out.
func (m *merged) take(p *mergePart) error {
	if p.arrival > TimeMax || p.arrival < 0 {
		return errors.New("merge: the traces start more than 146 years apart")
	}
	i := p.at
	m.out.Arrival = append(m.out.Arrival, p.arrival)
	m.out.Service = append(m.out.Service, p.in.Service[i])
	m.out.Kind = append(m.out.Kind, p.kind[p.in.Kind[i]])
	dst, src := m.out.optional(), p.in.optional()
	for c, has := range m.has.optional {
		if has {
			v := int64(0)
			if *src[c] != nil {
				v = (*src[c])[i]
			}
			*dst[c] = append(*dst[c], v)
		}
	}
	if m.has.tenant {
		tenant := m.nobody
		if p.in.Tenant != nil {
			tenant = p.tenant[p.in.Tenant[i]]
		}
		m.out.Tenant = append(m.out.Tenant, tenant)
	}
	if p.at++; p.at < p.in.Len() {
		p.arrival = p.in.Arrival[p.at] + p.shift
	}
	return nil
}

func (m *merged) Meta() Meta {
	return m.meta
}

func (m *merged) Close() error {
	var errs []error
	for _, p := range m.parts {
		errs = append(errs, p.src.Close())
	}
	return errors.Join(errs...)
}
