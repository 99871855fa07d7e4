// Package bundle is how a new release of the worker reaches its instances: what
// is signed, where it is kept, and how it is unpacked.
//
// A release store is a folder, or what is laid out like one:
//
//	releases/7/manifest              what release 7 is, signed
//	releases/7/linux-amd64.tar.zst   its files
//	channels/production              who runs which release, signed
//
// A manifest never changes. A channel is the only file that does, and carries a
// sequence number that only grows: a worker that has seen one takes no older
// one, so nobody who can write into the store, but cannot sign, can bring an old
// release back, change one, or hold a new one up for longer than not_after says.
//
// A signed document is JSON, followed by its minisign signature. The part before
// the line "untrusted comment:" can be verified with the minisign program.
package bundle

// Bounds of what is read from a store before it is trusted.
const (
	documentMax = 64 << 10  // bytes of a signed document
	archiveMax  = 2 << 30   // bytes of a packed release
	unpackedMax = 4 << 30   // bytes of its files
	filesMax    = 100_000   // of one release
	NumberMax   = 1<<53 - 1 // of releases and sequences: every JSON reader holds them exactly
)
