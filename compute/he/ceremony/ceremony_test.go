package ceremony_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/yumen-project/yumen/compute/he"
	"github.com/yumen-project/yumen/compute/he/ceremony"
)

func small(t testing.TB, multiply bool) *he.Parameters {
	t.Helper()
	p, err := he.InsecureTestParameters(6, multiply)
	require.NoError(t, err)
	return p
}

func TestCeremonyEndsWithOneCertificate(t *testing.T) {
	for _, c := range [][2]int{{3, 2}, {2, 2}, {4, 3}, {5, 2}, {7, 4}} {
		for _, mul := range []bool{false, true} {
			p := small(t, mul)
			net := newNetwork(t, p, c[0], c[1])
			net.run()
			var all []int
			for h := 1; h <= c[0]; h++ {
				all = append(all, h)
			}
			cert := net.agreed(all...)
			require.Zero(t, net.rejected)
			b, err := cert.Bytes()
			require.NoError(t, err)
			back, err := ceremony.ParseKeyCert(b)
			require.NoError(t, err)
			require.Equal(t, cert, back)
			require.NoError(t, ceremony.VerifyCert(back, ceremony.Trust{
				Parameters: []*he.Parameters{p}, Holders: net.proposal.Holders, Authority: "authority",
				Now: time.Unix(1, 0), MinThreshold: 2,
			}, verify))
		}
	}
}
