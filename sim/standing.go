package sim

// stand puts the instances in place that are there when the run begins. It must
// be called at time 0, before anything else happens.
func (e *engine) stand() {
	for i := range e.cfg.Standing {
		s := &e.cfg.Standing[i]
		for range s.Count {
			e.standOne(s)
		}
	}
}

// standOne is launchOne for an instance that was launched before the run: its
// windows count from then, and those that have begun are paid.
func (e *engine) standOne(s *Standing) {
	in := e.newInstance(s.Type, s.Market, "")
	in.launch = -int64(s.Age)
	in.confirmed = in.launch
	paid := in.launch
	if s.Age > 0 {
		paid += int64(e.cfg.Catalog.Billing.Paid(s.Age))
	}
	in.bill.priceSince, in.bill.shown = paid, paid
	in.bill.before = paid - in.launch
	e.scheduleCrash(in)
	e.scheduleInterruption(in)
	if s.ReadyIn > 0 {
		e.rare.push(int64(s.ReadyIn), becomesReady, in.id)
		return
	}
	in.seen = 0 // its worker was heard of long ago: it teaches no boot lag
	e.ready(in)
}
