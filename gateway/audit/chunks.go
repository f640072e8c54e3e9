package audit

import (
	"encoding/binary"
	"runtime"
	"sync"
	"sync/atomic"
)

// chunkBytes is how much of a snapshot's payload one digest covers.
const chunkBytes = 1 << 20

const payloadTag = "yumen-snapshot-payload-v2\n"

// payloadHash is SM3 over a tag, the length of the payload (8, big endian), and SM3 of each chunk of 1 MiB
// in order, the last one shorter. Chunks are hashed on all processors. read, if set, fills a chunk before
// it is hashed; its first error is the result.
func payloadHash(payload []byte, read func(chunk []byte, off int64) error) (Hash, error) {
	n := (len(payload) + chunkBytes - 1) / chunkBytes
	leaves := make([]byte, n*HashSize)
	var next atomic.Int64
	var once sync.Once
	var failed error
	var wg sync.WaitGroup
	for range min(n, runtime.GOMAXPROCS(0)) {
		wg.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				off := i * chunkBytes
				chunk := payload[off:min(off+chunkBytes, len(payload))]
				if read != nil {
					if err := read(chunk, int64(off)); err != nil {
						once.Do(func() { failed = err })
						return
					}
				}
				sum := HashOf(chunk)
				copy(leaves[i*HashSize:], sum[:])
			}
		})
	}
	wg.Wait()
	if failed != nil {
		return Hash{}, failed
	}
	top := binary.BigEndian.AppendUint64([]byte(payloadTag), uint64(len(payload)))
	return HashOf(append(top, leaves...)), nil
}
