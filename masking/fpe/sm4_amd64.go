//go:build !purego

package fpe

import "golang.org/x/sys/cpu"

// hasWords reports that this processor can run encryptWords.
func hasWords() bool { return cpu.X86.HasAVX512F && cpu.X86.HasAVX512GFNI }

// encryptWords enciphers groups times 64 blocks with SM4. dst and src must not
// overlap.
//
//go:noescape
func encryptWords(rk *[32]uint32, dst, src *words, groups int)
