package sm3lanes

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestKeyPrintsNothing(t *testing.T) {
	k := newKey(t, best(), pattern(32))
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", slog.Any("key", k))
	js, err := json.Marshal(map[string]any{"key": k, "by": map[*Key]int{k: 1}})
	require.NoError(t, err)
	text := log.String() + string(js)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%08b"} {
		text += fmt.Sprintf(verb, k) + fmt.Sprintf(verb, *k) + fmt.Sprintf(verb, struct{ K *Key }{k})
	}
	require.Contains(t, text, "[key]")
	for _, w := range k.inner.words {
		require.NotContains(t, text, fmt.Sprintf("%08x", w))
		require.NotContains(t, text, fmt.Sprintf("%d", w))
	}
	require.NotContains(t, text, hex.EncodeToString(k.outer.saved[4:12]))
}

// TestKeyIsShared: one key serves many goroutines.
func TestKeyIsShared(t *testing.T) {
	data, offsets := batch([]int{18, 18, 90, 18, 700, 18, 0, 18, 18, 18})
	for _, e := range engines() {
		k := newKey(t, e, pattern(32))
		want := make([]byte, (len(offsets)-1)*Size)
		k.MAC(want, data, offsets)
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				got := make([]byte, len(want))
				for range 50 {
					k.MAC(got, data, offsets)
					if !bytes.Equal(want, got) {
						t.Error("another code")
						return
					}
				}
			})
		}
		wg.Wait()
	}
}
