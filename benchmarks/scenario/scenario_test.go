package scenario

import (
	"context"
	"io"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/yumen-project/yumen/benchmarks/city"
	apiv1 "github.com/yumen-project/yumen/gateway/api/v1"
	"github.com/yumen-project/yumen/gateway/client"
	"github.com/yumen-project/yumen/gateway/server"
)

const persons = 2000

// open starts a gateway of this process on a small city.
func open(t *testing.T) (*World, []*client.Client, string) {
	t.Helper()
	w, err := Make(t.Context(), t.TempDir(), city.Params{Persons: persons, Seed: 3}, time.Now(), nil)
	require.NoError(t, err)
	config, err := w.Config()
	require.NoError(t, err)
	s, err := server.Open(t.Context(), config, "test", slog.New(slog.NewTextHandler(io.Discard, nil)))
	require.NoError(t, err)
	ctx, stop := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- s.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		require.NoError(t, <-served)
		require.NoError(t, w.Remove())
	})
	tls, err := w.ClientTLS(Unit)
	require.NoError(t, err)
	clients, err := Clients(s.GRPCAddr(), tls, 2)
	require.NoError(t, err)
	t.Cleanup(func() {
		for _, c := range clients {
			require.NoError(t, c.Close())
		}
	})
	return w, clients, s.GRPCAddr()
}

func TestEveryAnswerIsWhatTheCityKnows(t *testing.T) {
	w, clients, _ := open(t)
	for _, template := range []string{Urban, SamePerson} {
		q, err := NewQuestions(w.City, template)
		require.NoError(t, err)
		a, err := NewAsker(clients, q)
		require.NoError(t, err)
		a.Expect(w.AsOf(1))
		for i := range 200 {
			require.NoError(t, a.Verify(t.Context(), i))
		}
		require.NoError(t, a.Batch(t.Context(), 0, persons))
		require.EqualValues(t, 201, a.Answers())
		n, err := a.Check(t.Context(), w.GatewayDir())
		require.NoError(t, err)
		require.Positive(t, n)
	}
}

func TestWrongAnswersAndStaleRegistersAreSeen(t *testing.T) {
	w, clients, _ := open(t)
	q, err := NewQuestions(w.City, Urban)
	require.NoError(t, err)
	for i := range q.persons { // what a gateway would answer that is always wrong
		q.persons[i].want = uint8(apiv1.Answer_ANSWER_YES) + uint8(apiv1.Answer_ANSWER_NO) - q.persons[i].want
	}
	a, err := NewAsker(clients, q)
	require.NoError(t, err)
	require.ErrorIs(t, a.Verify(t.Context(), 0), ErrWrong)
	require.ErrorIs(t, a.Batch(t.Context(), 0, 5), ErrWrong)

	right, err := NewQuestions(w.City, Urban)
	require.NoError(t, err)
	b, err := NewAsker(clients, right)
	require.NoError(t, err)
	b.Expect("2001-01-01")
	require.ErrorIs(t, b.Verify(t.Context(), 0), ErrStale)
	b.Expect("")
	require.NoError(t, b.Verify(t.Context(), 0))
	b.sample[0].Result[len(b.sample[0].Result)-3] ^= 1
	_, err = b.Check(t.Context(), w.GatewayDir())
	require.ErrorIs(t, err, ErrReceipt)
	b.answers.Store(1 << 40)
	_, err = b.Check(t.Context(), w.GatewayDir())
	require.ErrorIs(t, err, ErrUnlogged)
}

func TestNextVersionTakesEffect(t *testing.T) {
	w, clients, address := open(t)
	q, err := NewQuestions(w.City, Urban)
	require.NoError(t, err)
	a, err := NewAsker(clients, q)
	require.NoError(t, err)
	tls, err := w.ClientTLS(Authority)
	require.NoError(t, err)
	authority, err := Clients(address, tls, 1)
	require.NoError(t, err)
	file, approvals, err := w.Version(2)
	require.NoError(t, err)
	_, err = authority[0].Governance.Apply(t.Context(), &apiv1.ApplyRequest{Domain: file, Approvals: approvals})
	require.NoError(t, err)
	a.Expect(w.AsOf(2))
	for i := range 20 {
		require.NoError(t, a.Verify(t.Context(), i))
	}
	require.NotEqual(t, w.AsOf(1), w.AsOf(2))
}

func TestQuestionsVisitEverybodyBeforeAnybodyTwice(t *testing.T) {
	town, err := city.New(city.Params{Persons: 997, Seed: 5})
	require.NoError(t, err)
	for _, template := range []string{Urban, SamePerson} {
		q, err := NewQuestions(town, template)
		require.NoError(t, err)
		seen, wants := map[string]int{}, map[apiv1.Answer]int{}
		for range 997 {
			one := q.Next()
			seen[one.Subject.Number]++
			wants[one.Want]++
			require.Equal(t, template == SamePerson, one.Subject.Phone != "")
		}
		for number, n := range seen {
			require.Equal(t, 1, n, number)
		}
		require.Len(t, wants, 2, "both answers occur")
	}
	_, err = NewQuestions(town, "other")
	require.ErrorIs(t, err, ErrTemplate)
}

func TestBareServerAnswersUnderTheSameTLS(t *testing.T) {
	w, _, _ := open(t)
	ctx, stop := context.WithCancel(t.Context())
	address, served := make(chan string, 1), make(chan error, 1)
	go func() {
		served <- ServeBare(ctx, w.GatewayDir(), func(a string) error {
			address <- a
			return nil
		})
	}()
	tls, err := w.ClientTLS(Unit)
	require.NoError(t, err)
	conns, err := Connections(<-address, tls, 2)
	require.NoError(t, err)
	for _, c := range conns {
		require.NoError(t, CheckHealth(t.Context(), c))
		require.NoError(t, c.Close())
	}
	stop()
	require.NoError(t, <-served)
}
