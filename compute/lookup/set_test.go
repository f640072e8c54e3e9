package lookup

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestSet_SwapWhileQuestionsRun swaps, rolls back and drops indexes under load.
// Version n answers adult of p0 yes iff n is even: every answer must be that of
// the index that gave it, and no question may fail.
func TestSet_SwapWhileQuestionsRun(t *testing.T) {
	p := personProgram(t)
	const versions = 4
	dirs := make([]string, versions)
	for n := range dirs {
		var err error
		dirs[n], _, err = buildPeople(t, p, fmt.Sprint(n), []person{{id: "p0", age: 18 - n%2}, {id: "p1"}}, nil)
		require.NoError(t, err)
	}
	open := func(n int) *Index {
		ix, err := Open(dirs[n], p, "household", fmt.Sprint(n), testKeys(t, fmt.Sprint(n)), 0)
		require.NoError(t, err)
		return ix
	}
	var s Set
	_, err := s.Swap(open(0))
	require.NoError(t, err)
	var stop atomic.Bool
	var asked atomic.Int64
	var wg sync.WaitGroup
	for range 6 {
		wg.Go(func() {
			for !stop.Load() {
				if err := askCurrent(&s); err != nil {
					t.Error(err)
					return
				}
				asked.Add(1)
			}
		})
	}
	for i := 1; i < 25; i++ {
		retired, err := s.Swap(open(i % versions))
		require.NoError(t, err)
		require.Nil(t, retired)
		if i%3 == 0 {
			require.NoError(t, s.Rollback())
			require.NoError(t, s.Rollback())
		}
		for before := asked.Load(); asked.Load() < before+20 && !t.Failed(); {
			runtime.Gosched()
		}
		<-s.DropPrevious().Done()
	}
	stop.Store(true)
	wg.Wait()
	require.NoError(t, s.Close())
	_, _, err = s.Current()
	require.ErrorIs(t, err, ErrNoIndex)
}

func askCurrent(s *Set) error {
	ix, release, err := s.Current()
	if err != nil {
		return err
	}
	defer release()
	want := map[string]Answer{"0": Yes, "1": No, "2": Yes, "3": No}[ix.Version()]
	ctx := context.Background()
	got, err := ix.Lookup(ctx, &Query{Predicate: 2, Subject: []byte("p0")})
	if err != nil || got != want {
		return fmt.Errorf("version %s: got %v, want %v, %w", ix.Version(), got, want, err)
	}
	out := make([]Answer, 2)
	err = ix.LookupBatch(ctx, []Query{{Predicate: 2, Subject: []byte("nobody")}, {Predicate: 2, Subject: []byte("p0")}}, out)
	if err != nil || out[0] != NotFound || out[1] != want {
		return fmt.Errorf("version %s batch: got %v, %w", ix.Version(), out, err)
	}
	return nil
}

func TestSet_KeepsAnIndexUntilItsLastQuestion(t *testing.T) {
	p := personProgram(t)
	var indexes []*Index
	for n := range 3 {
		v := fmt.Sprint(n)
		dir, _, err := buildPeople(t, p, v, someRows, nil)
		require.NoError(t, err)
		ix, err := Open(dir, p, "household", v, testKeys(t, v), 0)
		require.NoError(t, err)
		indexes = append(indexes, ix)
	}
	var s Set
	require.ErrorIs(t, s.Rollback(), ErrNoIndex)
	require.Nil(t, s.DropPrevious())
	_, err := s.Swap(nil)
	require.ErrorIs(t, err, ErrNoIndex)
	_, err = s.Swap(indexes[0])
	require.NoError(t, err)
	_, err = s.Swap(indexes[0])
	require.ErrorIs(t, err, ErrExists)
	held, release, err := s.Current()
	require.NoError(t, err)
	require.Same(t, indexes[0], held)
	_, err = s.Swap(indexes[1])
	require.NoError(t, err)
	require.NoError(t, s.Rollback())
	now, give, err := s.Current()
	require.NoError(t, err)
	require.Same(t, held, now)
	give()
	require.NoError(t, s.Rollback())
	retired, err := s.Swap(indexes[2])
	require.NoError(t, err)
	require.Same(t, indexes[0], retired)
	select {
	case <-retired.Done():
		t.Fatal("closed under a question")
	default:
	}
	require.Equal(t, Yes, ask(t, held, "there", "a"))
	release()
	<-retired.Done()
	_, err = held.Lookup(context.Background(), &Query{Subject: []byte("a")})
	require.ErrorIs(t, err, ErrClosed)
	require.NoError(t, retired.Close())
	require.Same(t, indexes[1], s.DropPrevious())
	require.NoError(t, s.Close())
	require.NoError(t, s.Close())
}

func TestSet_RefusesAnotherDataset(t *testing.T) {
	p := personProgram(t)
	one := openPeople(t, p, "1", someRows)
	dir, _, err := buildPeople(t, p, "1", someRows, func(o *BuildOptions) { o.Dataset = "housing" })
	require.NoError(t, err)
	two, err := Open(dir, p, "housing", "1", testKeys(t, "1"), 0)
	require.NoError(t, err)
	defer two.Close()
	var s Set
	_, err = s.Swap(one)
	require.NoError(t, err)
	_, err = s.Swap(two)
	require.ErrorIs(t, err, ErrForeign)
}
