//go:build !linux

package main

// diskFree returns how many bytes a folder's disk has free; false: the system does
// not say.
func diskFree(string) (int64, bool) { return 0, false }
