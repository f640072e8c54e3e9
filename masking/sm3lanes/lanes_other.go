//go:build !amd64

package sm3lanes

// best is the library: where there is vector code for SM3, it is in there.
func best() engine { return library }

func lanes[O Offset](_ engine, k *Key, dst, data []byte, offsets []O) {
	rowByRow(k, dst, data, offsets)
}
