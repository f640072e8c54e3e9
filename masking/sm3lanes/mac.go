package sm3lanes

// Offset is the type of the boundaries between messages: int32 or int64, as in
// Arrow's strings and large strings.
type Offset interface{ int32 | int64 }

// MAC writes the HMAC-SM3 of data[offsets[i]:offsets[i+1]] to dst[32*i:],
// for each i. It needs len(dst) = 32*(len(offsets)-1) and offsets that never
// step back and lie within data; like a slice expression, it panics otherwise.
// dst and data must not overlap. No offsets at all mean no messages.
func (k *Key) MAC(dst, data []byte, offsets []int32) {
	digests(k.engine, k, dst, data, offsets)
}

// MACLarge is MAC for int64 offsets.
func (k *Key) MACLarge(dst, data []byte, offsets []int64) {
	digests(k.engine, k, dst, data, offsets)
}

// MACStrided is MAC for messages of width bytes each, one after the other:
// len(dst)/32 messages, and len(data) = width times that.
func (k *Key) MACStrided(dst, data []byte, width int) {
	strided(k.engine, k, dst, data, width)
}

// Sum writes the SM3 digest of data[offsets[i]:offsets[i+1]] to dst[32*i:], for
// each i, under the conditions of Key.MAC.
func Sum(dst, data []byte, offsets []int32) {
	digests(best(), nil, dst, data, offsets)
}

// SumLarge is Sum for int64 offsets.
func SumLarge(dst, data []byte, offsets []int64) {
	digests(best(), nil, dst, data, offsets)
}

// SumStrided is Sum for messages of width bytes each.
func SumStrided(dst, data []byte, width int) {
	strided(best(), nil, dst, data, width)
}

// digests treats a batch; without a key it is plain SM3.
func digests[O Offset](e engine, k *Key, dst, data []byte, offsets []O) {
	if len(offsets) == 0 {
		return
	}
	if e == library {
		rowByRow(k, dst, data, offsets)
		return
	}
	lanes(e, k, dst, data, offsets)
}

// strideRows is how many messages of a fixed width are offered at a time.
const strideRows = 256

func strided(e engine, k *Key, dst, data []byte, width int) {
	var offsets [strideRows + 1]int64
	for i := range offsets {
		offsets[i] = int64(i) * int64(width)
	}
	for rows := len(dst) / Size; rows > 0; rows -= strideRows {
		n := min(rows, strideRows)
		digests(e, k, dst[:n*Size], data[:n*width], offsets[:n+1])
		dst, data = dst[n*Size:], data[n*width:]
	}
}
