//go:build !amd64

package redact

import "github.com/yumen-project/yumen/masking/kernel"

// hasLanes is false: plain Go does everything.
func hasLanes() bool { return false }

func stampLanes(_, _, _, _ []byte) (done int, high bool) { return 0, false }

func rebaseLanes[O kernel.Offset](_, _ []O, _ O) (done int, odd bool) { return 0, false }

func orderedLanes[O kernel.Offset](_ []O) (done int, ok bool) { return 0, true }

func threesLanes(_ []byte) (done int, ok bool) { return 0, true }

func namesLanes[O kernel.Offset](_ *redactor, _, _ []O, _, _ []byte) bool { return false }

func blanketLanes(_, _, _ []byte) (done int, high bool) { return 0, false }

func endsLanes[O kernel.Offset](_ *redactor, _, _ []O, _, _ []byte) bool { return false }
