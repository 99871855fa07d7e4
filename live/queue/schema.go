package queue

// Schema tells how far the tables of a store are.
type Schema struct {
	Have int // version of the tables; 0: there are none
	Want int // version that this program works with
}
