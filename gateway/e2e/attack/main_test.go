package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
)

// The short run: every attack stays within its bound, and says so on a line of its own.
func TestAttacksLearnNoMoreThanAllowed(t *testing.T) {
	var out bytes.Buffer
	code, err := mainOf(context.Background(), []string{"-short"}, &out)
	require.NoError(t, err)
	attacks := map[string]bool{}
	lines := bufio.NewScanner(bytes.NewReader(out.Bytes()))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var f Finding
		require.NoError(t, json.Unmarshal(lines.Bytes(), &f))
		require.True(t, f.OK, "%s: learned %v, allowed %v: %s", f.Attack, f.Learned, f.Allowed, f.Detail)
		attacks[f.Attack] = true
		t.Logf("%s: learned %v, allowed %v", f.Attack, f.Learned, f.Allowed)
	}
	require.NoError(t, lines.Err())
	require.Greater(t, len(attacks), 25)
	require.Zero(t, code)
}

// More learned than allowed is a failure, whatever the figures look like.
func TestFoundJudges(t *testing.T) {
	var out bytes.Buffer
	r := &report{out: &out}
	r.found("a", 1, 1, "equal")
	r.found("b", 1.01, 1, "more")
	require.Equal(t, 1, r.failed)
	require.True(t, r.all[0].OK)
	require.False(t, r.all[1].OK)
	require.Equal(t, 2, bytes.Count(out.Bytes(), []byte("\n")))
}
