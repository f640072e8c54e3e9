package main

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	apiv1 "github.com/yumen-project/yumen/gateway/api/v1"
	"github.com/yumen-project/yumen/gateway/server"
)

func TestSearchAgainstAGateway(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	config, err := server.Resolve(map[string]string{"data-dir": dir, "listen-grpc": "127.0.0.1:0", "listen-http": "127.0.0.1:0"},
		func(string) (string, bool) { return "", false }, nil)
	require.NoError(t, err)
	require.NoError(t, config.Complete())
	s, err := server.Open(context.Background(), config, "test", slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	search := func(args ...string) (string, error) {
		var out bytes.Buffer
		c := root()
		c.SetOut(&out)
		c.SetArgs(append([]string{"log", "search", "--data-dir", dir, "--address", s.GRPCAddr()}, args...))
		err := c.ExecuteContext(ctx)
		return out.String(), err
	}
	_, err = search("--party", "bank")
	require.Equal(t, 3, exitCode(err), "the machine's operator supervises nobody: %v", err)
	text, err := search("-o", "json")
	require.NoError(t, err)
	var page apiv1.SearchResponse
	require.NoError(t, json.Unmarshal([]byte(text), &page))
	require.Equal(t, "role-not-allowed", page.GetEntries()[0].GetRule())
	text, err = search("--kind", "refusal", "--from", "2020-01-01")
	require.NoError(t, err)
	require.Contains(t, text, "role-not-allowed")
	cancel()
	require.NoError(t, <-ended)
	for text, want := range map[string]int64{"": 0, "1970-01-02": 16 * 3600 * 1000, "1970-01-01T00:00:01Z": 1000} {
		got, err := momentMS(text)
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
}
