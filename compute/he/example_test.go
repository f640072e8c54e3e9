package he_test

import (
	"crypto/rand"
	"fmt"

	"github.com/yumen-project/yumen/compute/he"
)

// A provider encrypts two batches, the gateway adds them and extracts the sum as
// one LWE sample per limb. Only the holders of the key could open it.
func Example() {
	params, err := he.NewParameters(he.AddLiteral())
	if err != nil {
		fmt.Println(err)
		return
	}
	// In production the key is that of a signed key certificate.
	b, _ := params.Expand([32]byte{1}, "b")
	a, _ := params.Expand([32]byte{1}, "a")
	certificate := [32]byte{0xc1}

	enc, err := he.NewEncryptor(params, &he.PublicKey{B: b, A: a}, rand.Reader)
	if err != nil {
		fmt.Println(err)
		return
	}
	acc := he.NewAccumulator(params, certificate)
	for batch, incomes := range [][]int64{{3100, 2800, -150}, {4200}} {
		leaf, err := enc.Encrypt(nil, he.Header{
			Key: certificate, Lane: he.LaneID("tax", "2024", "income"),
			Batch: uint32(batch), Rows: uint32(len(incomes)),
		}, incomes, 1<<40)
		if err != nil {
			fmt.Println(err)
			return
		}
		received, err := he.ParseLeaf(params, leaf.Bytes())
		if err != nil {
			fmt.Println(err)
			return
		}
		if err := acc.Add(received); err != nil {
			fmt.Println(err)
			return
		}
	}
	openings, err := he.Extract(params, []he.Term{{Sum: acc.Sum(), Mask: params.AllMask()}})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%d limbs, %.1f bytes a value\n", len(openings), float64(params.LeafSize())/float64(params.N()))
	// Output: 2 limbs, 52.5 bytes a value
}
