package chaos

import (
	"encoding/json"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// counts is the last line of a run.
type counts struct {
	Kills        int64 `json:"kills"`
	KillsProcess int64 `json:"kills_of_processes"`
	KillsCopied  int64 `json:"kills_by_copy_of_live_files"`
	Faults       int64 `json:"processes_with_failing_system_call"`
	Struck       int64 `json:"of_which_a_call_did_fail"`
	Full         int64 `json:"disk_full"`
	ReadOnly     int64 `json:"read_only"`
	Flips        int64 `json:"flips"`
	Tears        int64 `json:"tears"`
	Rollbacks    int64 `json:"rollbacks"`
	ClockJumps   int64 `json:"clock_jumps"`
	Requests     int64 `json:"raced_requests"`
	Answers      int64 `json:"answers"`
	Frames       int64 `json:"frames_judged"`
	Detected     int64 `json:"tampering_detected"`
	Harmless     int64 `json:"tampering_harmless"`

	WithoutEntry  int64    `json:"answers_without_entry"`
	Overspends    int64    `json:"overspends"`
	DoubleCharges int64    `json:"double_charges"`
	TwoStatements int64    `json:"keys_with_two_statements"`
	Undetected    int64    `json:"undetected_tampering"`
	Diverged      int64    `json:"states_unlike_their_replay"`
	Skipped       []string `json:"skipped"`
	Seconds       float64  `json:"seconds"`
	Seed          uint64   `json:"seed"`
}

func add(n *int64) { atomic.AddInt64(n, 1) }

// TestChaos is the whole harness; `make chaos` runs it at full length.
func TestChaos(t *testing.T) {
	if testing.Short() {
		t.Skip("starts and kills processes")
	}
	c := &counts{Seed: run.seed, Skipped: []string{}}
	began := time.Now()
	for _, part := range []struct {
		name string
		do   func(*testing.T, *counts)
	}{
		{"copies", copies}, {"tampering", tampering}, {"rollbacks", rollbacks}, {"race", race}, {"processes", processes},
		{"faults", faults}, {"full", full}, {"readonly", readOnly},
	} {
		from := time.Now()
		t.Run(part.name, func(t *testing.T) { part.do(t, c) })
		t.Logf("%s: %s", part.name, time.Since(from).Round(time.Millisecond))
	}
	c.Kills, c.Seconds = c.KillsProcess+c.KillsCopied, time.Since(began).Seconds()
	line, err := json.Marshal(c)
	require.NoError(t, err)
	t.Logf("%s", line)
	if run.report != "" {
		require.NoError(t, os.WriteFile(run.report, append(line, '\n'), 0o600))
	}
	require.Zero(t, c.WithoutEntry+c.Overspends+c.DoubleCharges+c.TwoStatements+c.Undetected+c.Diverged, "a promise was broken")
}
