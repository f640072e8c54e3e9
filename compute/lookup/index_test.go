package lookup

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
)

var someRows = []person{
	{id: "a", district: "220202", age: 30, area: 60.0, name: "王小明", phone: "13800138000"},
	{id: "b", district: "220204", age: 17, area: 144.0, name: "李四", phone: "13800138001"},
	{id: "c", district: "220203", age: 40, area: 100.0, withhold: true, name: "赵六", phone: "13800138002"},
	{id: "b", district: "220203", withhold: false},
	{id: "d"},
}

func TestLookup_Answers(t *testing.T) {
	ix := openPeople(t, personProgram(t), "2026-10", someRows)
	for _, c := range []struct {
		id, subject string
		want        Answer
	}{
		{"there", "a", Yes}, {"there", "d", Yes}, {"there", "x", NotFound}, {"there", "c", Withheld},
		{"in-district", "a", Yes}, {"in-district", "b", Yes}, {"in-district", "d", No},
		{"in-district", "c", Withheld}, {"in-district", "x", NotFound},
		{"adult", "a", Yes}, {"adult", "b", No}, {"adult", "d", No},
		{"home-mid", "a", Yes}, {"home-mid", "b", No},
	} {
		require.Equal(t, c.want, ask(t, ix, c.id, c.subject), "%s %s", c.id, c.subject)
	}
	require.Equal(t, Match, askIdentity(t, ix, "a", "王小明", "13800138000"))
	require.Equal(t, Mismatch, askIdentity(t, ix, "a", "王小明", "13800138001"))
	require.Equal(t, Mismatch, askIdentity(t, ix, "a", "王小红", "13800138000"))
	require.Equal(t, Match, askIdentity(t, ix, "b", "李四", "13800138001"))
	require.Equal(t, Mismatch, askIdentity(t, ix, "d", "李四", "13800138001"))
	require.Equal(t, Withheld, askIdentity(t, ix, "c", "赵六", "13800138002"))
	require.Equal(t, NotFound, askIdentity(t, ix, "x", "赵六", "13800138002"))
}

func TestLookup_RefusesOtherForms(t *testing.T) {
	ix := openPeople(t, personProgram(t), "2026-10", someRows)
	long := make([]byte, maxSubject+1)
	for name, q := range map[string]Query{
		"negative":        {Predicate: -1, Subject: []byte("a")},
		"beyond":          {Predicate: 5, Subject: []byte("a")},
		"no subject":      {Predicate: 0},
		"long subject":    {Predicate: 0, Subject: long},
		"name without":    {Predicate: 0, Subject: []byte("a"), Name: []byte("n")},
		"identity alone":  {Predicate: 4, Subject: []byte("a")},
		"identity half":   {Predicate: 4, Subject: []byte("a"), Name: []byte("n")},
		"identity long":   {Predicate: 4, Subject: []byte("a"), Name: long, Phone: []byte("1")},
		"identity halves": {Predicate: 4, Subject: []byte("a"), Phone: []byte("1")},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ix.Lookup(context.Background(), &q)
			require.ErrorIs(t, err, ErrQuery)
			out := []Answer{Yes}
			require.ErrorIs(t, ix.LookupBatch(context.Background(), []Query{q}, out), ErrQuery)
			require.Equal(t, Answer(0), out[0])
		})
	}
	require.ErrorIs(t, ix.LookupBatch(context.Background(), make([]Query, 2), make([]Answer, 1)), ErrQuery)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := ix.Lookup(ctx, &Query{Subject: []byte("a")})
	require.ErrorIs(t, err, context.Canceled)
	require.ErrorIs(t, ix.LookupBatch(ctx, []Query{{Subject: []byte("a")}}, make([]Answer, 1)), context.Canceled)
}

func TestLookup_EqualWorkForEveryAnswer(t *testing.T) {
	p := personProgram(t)
	dir, _, err := buildPeople(t, p, "2026-10", someRows, nil)
	require.NoError(t, err)
	keys := &countingKeys{Keys: testKeys(t, "2026-10")}
	ix, err := Open(dir, p, "household", "2026-10", keys, 0)
	require.NoError(t, err)
	defer func() { require.NoError(t, ix.Close()) }()
	keys.work()
	for _, id := range []string{"there", "in-district", "adult", "home-mid"} {
		seen := map[[4]int64][]Answer{}
		for _, subject := range []string{"a", "b", "c", "d", "x", "y"} {
			a := ask(t, ix, id, subject)
			w := keys.work()
			require.Equal(t, int64(1), w[2], "one opening")
			seen[w] = append(seen[w], a)
		}
		require.Len(t, seen, 1, id)
	}
	seen := map[[4]int64]map[Answer]bool{}
	for _, subject := range []string{"a", "b", "c", "d", "x"} {
		a := askIdentity(t, ix, subject, "王小明", "13800138000")
		w := keys.work()
		if seen[w] == nil {
			seen[w] = map[Answer]bool{}
		}
		seen[w][a] = true
	}
	require.Len(t, seen, 1)
	for w, answers := range seen {
		require.Equal(t, [2]int64{3, 1}, [2]int64{w[0], w[2]})
		require.Equal(t, map[Answer]bool{Match: true, Mismatch: true, Withheld: true, NotFound: true}, answers)
	}
}

func TestBuild_EmptyTable(t *testing.T) {
	ix := openPeople(t, personProgram(t), "v", nil)
	require.Equal(t, int64(0), ix.Subjects())
	require.Equal(t, NotFound, ask(t, ix, "there", "a"))
}
