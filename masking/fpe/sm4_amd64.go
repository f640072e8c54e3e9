//go:build !purego

package fpe

import "golang.org/x/sys/cpu"

// hasWords reports that this processor can run encryptWords.
func hasWords() bool { return cpu.X86.HasAVX512F && cpu.X86.HasAVX512GFNI }
