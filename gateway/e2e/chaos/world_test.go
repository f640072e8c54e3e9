package chaos

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"io"
	"io/fs"
	mathrand "math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/yumen-project/yumen/connectors"
	"github.com/yumen-project/yumen/connectors/file"
	"github.com/yumen-project/yumen/gateway/governance"
	"github.com/yumen-project/yumen/gateway/job"
	"github.com/yumen-project/yumen/gateway/job/spec"
	"github.com/yumen-project/yumen/gateway/keyring"
	"github.com/yumen-project/yumen/gateway/release"
)

var ctx = context.Background()

// clock jumps when told to.
type clock struct{ offset atomic.Int64 }

func (c *clock) now() time.Time       { return time.Now().Add(time.Duration(c.offset.Load())) }
func (c *clock) jump(d time.Duration) { c.offset.Add(int64(d)) }

// world is one gateway in process.
type world struct {
	dir    string
	clock  *clock
	ring   *keyring.Ring
	runner *job.Runner
	book   *book
}

func source(d *governance.Dataset) (connectors.Source, error) {
	o := file.Options{Path: d.Source.Path, Root: town.sources, Format: d.Source.Format}
	for _, f := range d.Fields {
		o.Fields = append(o.Fields, connectors.Field{Name: f.Name, Type: f.Type, Nullable: f.Name != d.Subject.Field})
	}
	return file.New(o)
}

// newWorld makes a gateway with the domain in force.
func newWorld(t *testing.T, dir string) *world {
	t.Helper()
	w := &world{dir: dir, clock: &clock{}, book: newBook()}
	w.open(t)
	_, err := w.runner.Apply(ctx, &spec.Change{Party: job.Local, Domain: town.domain, Approvals: town.approvals})
	require.NoError(t, err)
	return w
}

func (w *world) open(t *testing.T) {
	t.Helper()
	ring, err := keyring.Open(filepath.Join(w.dir, "keys"), keyring.Options{Rand: rand.Reader})
	require.NoError(t, err)
	w.ring = ring
	w.runner, err = w.start(placeIn(w.dir), filepath.Join(w.dir, "index"))
	require.NoError(t, err)
}

// start opens a runner over the log of a place, with keys and clock of this world.
func (w *world) start(p place, index string) (*job.Runner, error) {
	return job.Open(ctx, job.Options{
		Domain: domainID, LogDir: p.log, CheckpointDir: p.second, IndexDir: index, DevZone: filepath.Join(w.dir, "devzone"),
		TrustDir: filepath.Join(w.dir, "trust"), Ring: w.ring, Source: source, Build: "chaos", Clock: w.clock.now, Rand: rand.Reader,
		Logger: quiet, CacheBytes: 1 << 20,
	})
}

func (w *world) close(t *testing.T) {
	t.Helper()
	require.NoError(t, w.runner.Close())
}

// mirror gives a place for a copy of this world's log; keys are the world's.
func (w *world) mirror(dir string) place {
	p := placeIn(dir)
	p.keys = filepath.Join(w.dir, "keys")
	return p
}

// copyLog copies what follows the frames first and the frames last, so that the copy is one that a kill
// might leave: nothing in it speaks of frames that it does not have.
func copyLog(t *testing.T, from, to place) {
	t.Helper()
	require.NoError(t, os.RemoveAll(to.log))
	require.NoError(t, os.RemoveAll(to.second))
	copyDir(t, from.second, to.second)
	for _, part := range []string{"snapshots", "public", "frames"} {
		if _, err := os.Stat(filepath.Join(from.log, part)); !errors.Is(err, fs.ErrNotExist) {
			require.NoError(t, err)
			copyDir(t, filepath.Join(from.log, part), filepath.Join(to.log, part))
		}
	}
}

// copyDir copies a directory that may be written to meanwhile: files that vanish were temporary.
func copyDir(t *testing.T, from, to string) {
	t.Helper()
	require.NoError(t, os.MkdirAll(to, 0o700))
	entries, err := os.ReadDir(from)
	require.NoError(t, err)
	for _, e := range entries {
		a, b := filepath.Join(from, e.Name()), filepath.Join(to, e.Name())
		if e.IsDir() {
			copyDir(t, a, b)
			continue
		}
		if err := copySparse(a, b); !errors.Is(err, fs.ErrNotExist) {
			require.NoError(t, err)
		}
	}
}

// copySparse copies a file as it was at one moment: it looks where the file ends first and then copies up
// to there, since files that are written to in place only grow, in order. What follows was reserved and
// never written; it stays a hole.
func copySparse(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	info, err := in.Stat()
	if err != nil {
		return err
	}
	end, err := written(in, info.Size())
	if err != nil {
		return err
	}
	out, err := os.OpenFile(to, os.O_RDWR|os.O_CREATE|os.O_TRUNC, info.Mode().Perm())
	if err != nil {
		return err
	}
	_, err = io.Copy(out, io.NewSectionReader(in, 0, end))
	return errors.Join(err, out.Truncate(info.Size()), out.Close())
}

// written is the place behind the last byte that is not zero, before the first long run of zeroes.
func written(f *os.File, size int64) (int64, error) {
	const chunk = 256 << 10
	buf, end := make([]byte, chunk), int64(0)
	for at := int64(0); at < size; at += chunk {
		n, err := f.ReadAt(buf[:min(chunk, size-at)], at)
		if err != nil && !errors.Is(err, io.EOF) {
			return 0, err
		}
		last := len(bytes.TrimRight(buf[:n], "\x00"))
		if last == 0 {
			break
		}
		end = at + int64(last)
	}
	return end, nil
}

// dice draws requests; every number in them follows from the seed.
type dice struct {
	r    *mathrand.Rand
	name string
	n    int
}

func newDice(part, worker uint64, name string) *dice {
	return &dice{r: mathrand.New(mathrand.NewPCG(run.seed, part<<32|worker)), name: name}
}

func (d *dice) key() string {
	d.n++
	return d.name + "-" + strconv.FormatUint(d.r.Uint64(), 16) + "-" + strconv.Itoa(d.n) + "-0123456789"
}

// ask draws a question: many that only cost quota, some on narrow budgets.
func (d *dice) ask(now int64) *spec.Question {
	p := &town.people[d.r.IntN(len(town.people))]
	q := &spec.Question{Kind: spec.Verify, Party: "bank", Scenario: "finance", Query: "urban", Key: d.key(), KeyTime: time.UnixMilli(now),
		Subjects: []spec.Subject{{Number: p.RID}}}
	switch d.r.IntN(10) {
	case 0, 1:
		q.Party, q.Scenario = "leju", "narrow"
	case 2:
		q.Scenario = "narrow"
	case 3: // five subjects, so that attempts run out
		p = &town.people[d.r.IntN(5)]
		q.Query, q.Subjects = "same-person", []spec.Subject{{Number: p.RID, Name: p.Name, Phone: p.Phone}}
	case 4:
		q.Party, q.Scenario, q.Query, q.Consent = "hunlian", "marriage", "single", "c-single"
		q.Subjects = []spec.Subject{{Number: town.single}}
	}
	return q
}

// put asks and notes what came. Refusals are answers too, but carry none. An error is one that no caller
// should see.
func (w *world) put(ctx context.Context, c *counts, q *spec.Question) error {
	again := *q
	rel, err := w.runner.Answer(ctx, &again)
	var denied *release.Denied
	switch {
	case errors.As(err, &denied), err != nil && ctx.Err() != nil:
		return nil //nolint:nilerr // a refusal and the end of the run are outcomes here
	case err != nil:
		return err
	}
	o, err := rel.Open()
	if err != nil {
		return err
	}
	same, err := w.book.take(q.Key, o.Receipt, o.Result)
	if err == nil && !same {
		add(&c.TwoStatements)
		return errors.New("one key has two statements")
	}
	add(&c.Answers)
	return err
}
