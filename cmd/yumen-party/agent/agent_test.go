package agent

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// From proposal to sealed answers.
func TestHoldersCarryAQueryToItsAnswers(t *testing.T) {
	w := newTown(t)
	id := w.propose()
	w.settle()
	for _, name := range holders {
		require.Equal(t, Done, w.agents[name].book.Ceremonies[id].Stage, name)
	}
	w.provide(300)
	w.settle()
	query, err := w.ask(nil)
	require.NoError(t, err)
	w.settle()
	require.Equal(t, map[string]Stage{"authority": Answered, "exchange": Answered, "auditor": Answered}, w.stages(query))
	for _, name := range holders {
		require.Zero(t, w.agents[name].book.Older)
	}
}
