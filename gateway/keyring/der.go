package keyring

import (
	"encoding/asn1"
	"fmt"
	"math/big"
)

// signature is the structure of GM/T 0009 that the SM2 package reads and writes.
type signature struct {
	R, S *big.Int
}

// derFromRaw turns 64 bytes r and s into ASN.1; zero values are refused.
func derFromRaw(sig []byte) ([]byte, error) {
	rs := signature{new(big.Int).SetBytes(sig[:32]), new(big.Int).SetBytes(sig[32:])}
	if rs.R.Sign() == 0 || rs.S.Sign() == 0 {
		return nil, fmt.Errorf("encode signature: %w: zero value", ErrKey)
	}
	return asn1.Marshal(rs)
}

// rawFromDER is the inverse, with the exact length of 64 bytes.
func rawFromDER(der []byte) ([]byte, error) {
	var rs signature
	rest, err := asn1.Unmarshal(der, &rs)
	if err != nil || len(rest) != 0 {
		return nil, fmt.Errorf("decode signature: %w: malformed", ErrKey)
	}
	if rs.R.Sign() <= 0 || rs.S.Sign() <= 0 || rs.R.BitLen() > 256 || rs.S.BitLen() > 256 {
		return nil, fmt.Errorf("decode signature: %w: out of range", ErrKey)
	}
	out := make([]byte, SignatureSize)
	rs.R.FillBytes(out[:32])
	rs.S.FillBytes(out[32:])
	return out, nil
}
