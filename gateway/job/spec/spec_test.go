package spec

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestOnlyAnAuthenticatedPartyIsOne(t *testing.T) {
	_, ok := PartyOf(context.Background())
	require.False(t, ok)
	_, ok = PartyOf(WithParty(context.Background(), ""))
	require.False(t, ok, "an empty name is nobody")
	p, ok := PartyOf(WithParty(WithParty(context.Background(), "a"), "b"))
	require.True(t, ok)
	require.Equal(t, "b", p)
	// A value that another package puts under a key of its own does not pass for a party.
	type partyKey struct{}
	_, ok = PartyOf(context.WithValue(context.Background(), partyKey{}, "a"))
	require.False(t, ok)
}

func TestEndedStates(t *testing.T) {
	for s, ended := range map[State]bool{Queued: false, Running: false, Done: true, Refused: true, Failed: true, Cancelled: true} {
		require.Equal(t, ended, s.Ended(), "%d", s)
	}
	require.False(t, State(0).Ended())
}

func TestFileProblemIsItsLines(t *testing.T) {
	require.EqualError(t, &FileProblem{Lines: []string{"line 1: a", "line 2: b"}}, "line 1: a\nline 2: b")
}
