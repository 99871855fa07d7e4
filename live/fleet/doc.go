// Package fleet is how a controller sees EC2 and asks it for things: what an
// intent to launch is, what became of it, what the lists show, and a Ledger that
// joins the two so that a crash at any instruction launches nothing twice.
//
// A controller
//
//  1. observes: View := Observer.Observe(ctx); Ledger.Sweep(now, view, …);
//  2. decides, and turns launches into intents: Ledger.Intend;
//  3. saves the ledger, in the transaction that checks limits and leadership;
//  4. marks them sent (Ledger.Due), and saves again;
//  5. asks: Actuator.Launch, Actuator.Terminate;
//  6. settles: Ledger.Settle, Ledger.Ended; and saves.
//
// After a crash the next leader loads the ledger, calls Recover, and goes on at
// 1: what was sent and is not known to have happened or not is asked for again
// with the same client token, which EC2 answers with what it launched before. Until
// then it counts as capacity on its way and as money.
//
// An Observer has no method that changes anything: a controller that only
// watches is given nothing else.
package fleet
