package main

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/yumen-project/yumen/compute/he/plan"
)

const spec = `dataset: homes
version: "1"
source: {path: homes.csv, format: csv, separator: ";", fields: [{name: rid, type: string}, {name: value, type: int64}]}
subject: rid
changes: [{manifest: "0101010101010101010101010101010101010101010101010101010101010101", subjects: 12}]
lanes:
  - {name: value, kind: value, columns: [value], bounds: [100]}
  - {name: value-r, kind: reversed, columns: [value], bounds: [100], with: wages}
`

func TestSpecFile(t *testing.T) {
	s, err := parseSpec([]byte(spec))
	require.NoError(t, err)
	p, src, err := s.provision("dir", []byte(spec))
	require.NoError(t, err)
	require.NotNil(t, src)
	require.Equal(t, plan.Reversed, p.Spec.Lanes[1].Kind)
	require.Equal(t, "wages", p.With["value-r"])
	require.Equal(t, uint64(12), p.Spec.Changes[0].Subjects)
	for _, bad := range []string{"", "other: 1\n", spec + "---\n" + spec} {
		_, err := parseSpec([]byte(bad))
		require.Error(t, err, bad)
	}
	s.Lanes[0].Kind = "none"
	_, _, err = s.provision("dir", nil)
	require.ErrorContains(t, err, "lane 1")
}

func FuzzParseSpec(f *testing.F) {
	f.Add([]byte(spec))
	f.Fuzz(func(_ *testing.T, b []byte) {
		if s, err := parseSpec(b); err == nil {
			_, _, _ = s.provision("dir", b)
		}
	})
}
