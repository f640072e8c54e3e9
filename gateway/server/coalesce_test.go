package server

import (
	"bytes"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// pair is a gathered connection and its peer.
func pair(t *testing.T) (gathered, peer net.Conn) {
	t.Helper()
	l, err := Listen("127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.Close() })
	peer, err = net.Dial("tcp", l.Addr().String())
	require.NoError(t, err)
	t.Cleanup(func() { _ = peer.Close() })
	gathered, err = l.Accept()
	require.NoError(t, err)
	return gathered, peer
}

func TestGatheredWritesArriveWholeAndInOrder(t *testing.T) {
	g, peer := pair(t)
	var want bytes.Buffer
	go func() {
		for i := range 2000 {
			b := bytes.Repeat([]byte{byte(i)}, i%700+1)
			if _, err := g.Write(b); err != nil {
				return
			}
		}
		_ = g.Close()
	}()
	for i := range 2000 {
		want.Write(bytes.Repeat([]byte{byte(i)}, i%700+1))
	}
	got, err := io.ReadAll(peer)
	require.NoError(t, err)
	require.True(t, bytes.Equal(want.Bytes(), got))
}

func TestConcurrentWritesAreNotTorn(t *testing.T) {
	g, peer := pair(t)
	var writers sync.WaitGroup
	for w := range 16 {
		writers.Go(func() {
			for range 100 {
				_, _ = g.Write(bytes.Repeat([]byte{byte(w)}, 64))
			}
		})
	}
	go func() {
		writers.Wait()
		_ = g.Close()
	}()
	got, err := io.ReadAll(peer)
	require.NoError(t, err)
	require.Len(t, got, 16*100*64)
	for at := 0; at < len(got); at += 64 {
		require.Equal(t, bytes.Repeat(got[at:at+1], 64), got[at:at+64])
	}
}

func TestAGoneReaderEndsWriterAndClose(t *testing.T) {
	g, peer := pair(t)
	require.NoError(t, peer.Close())
	require.Eventually(t, func() bool {
		_, err := g.Write(make([]byte, 1<<20))
		return err != nil
	}, 10*time.Second, time.Millisecond)
	_ = g.Close()
	_, err := g.Write([]byte{1})
	require.Error(t, err)
}

func TestCloseDoesNotWaitForAPeerThatDoesNotRead(t *testing.T) {
	g, _ := pair(t)
	wrote := make(chan struct{})
	go func() {
		defer close(wrote)
		for {
			if _, err := g.Write(make([]byte, 1<<20)); err != nil {
				return
			}
		}
	}()
	time.Sleep(50 * time.Millisecond)
	_ = g.Close()
	<-wrote
}
