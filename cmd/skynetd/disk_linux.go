package main

import "syscall"

// diskFree returns how many bytes a folder's disk has free; false: the system does
// not say.
func diskFree(folder string) (int64, bool) {
	var s syscall.Statfs_t
	if err := syscall.Statfs(folder, &s); err != nil {
		return 0, false
	}
	return int64(s.Bavail) * s.Bsize, true
}
