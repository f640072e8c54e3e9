package main

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/yumen-project/yumen/masking"
)

var update = flag.Bool("update", false, "write the table of techniques into docs/MASKING.md")

const tableBegin, tableEnd = "<!-- techniques: begin -->\n", "<!-- techniques: end -->\n"

func techniqueTable() string {
	var b strings.Builder
	b.WriteString("| technique | what it is | parameters | treats | key | direct identifiers | reversible | what it does not protect |\n|---|---|---|---|---|---|---|---|\n")
	yes := map[bool]string{true: "yes", false: "–"}
	for _, d := range masking.Describe() {
		params := "–"
		if len(d.Params) > 0 {
			params = "`" + strings.Join(d.Params, "`, `") + "`"
		}
		notes := d.NotProtected
		if d.Inside {
			notes += "; refused in a policy with `release: outside`"
		}
		if d.Placed {
			notes += "; depends on a record's place in the read"
		}
		if d.Drawn {
			notes += "; differs from run to run"
		}
		cells := []string{"`" + d.Technique + "`", d.Title + " (" + d.TitleZH + "; " + d.Class + ")", params, d.Types, yes[d.Keyed], yes[d.Direct], d.Reversible, notes}
		for i := range cells {
			cells[i] = strings.ReplaceAll(cells[i], "|", "\\|")
		}
		b.WriteString("| " + strings.Join(cells, " | ") + " |\n")
	}
	return b.String()
}

// The document says of every technique what the code says.
func TestDocumentListsEveryTechnique(t *testing.T) {
	path := filepath.Join("..", "..", "docs", "MASKING.md")
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	before, rest, ok := strings.Cut(string(text), tableBegin)
	require.True(t, ok)
	table, after, ok := strings.Cut(rest, tableEnd)
	require.True(t, ok)
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(before+tableBegin+techniqueTable()+tableEnd+after), 0o644))
		return
	}
	require.Equal(t, techniqueTable(), table, "go test ./cmd/yumen -run TestDocumentListsEveryTechnique -update writes it anew")
}
