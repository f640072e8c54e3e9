//go:build !amd64 || purego

package fpe

func hasWords() bool { return false }

// encryptWords is never called where hasWords is false.
func encryptWords(*[32]uint32, *[4][256]uint32, *[4][256]uint32, int) {}
