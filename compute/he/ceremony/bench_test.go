package ceremony_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/yumen-project/yumen/compute/he"
)

// BenchmarkCeremony is the work of all three holders together, on full
// parameters, signatures and envelopes aside.
func BenchmarkCeremony(b *testing.B) {
	for _, l := range []he.Literal{he.AddLiteral(), he.MulLiteral()} {
		b.Run(l.Name, func(b *testing.B) {
			p, err := he.NewParameters(l)
			require.NoError(b, err)
			for b.Loop() {
				net := newNetwork(b, p, 3, 2)
				net.run()
				net.agreed(1, 2, 3)
			}
		})
	}
}
