package chaos

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/yumen-project/yumen/gateway/job"
	"github.com/yumen-project/yumen/gateway/keyring"
)

// machineKills is how many kills one data directory goes through before a new one is made.
const machineKills = 50

// processes kills the real server: under load, or while it is starting up after the kill before.
func processes(t *testing.T, c *counts) {
	d := newDice(12, 0, "processes")
	var m *machine
	for i := range run.processes {
		if i%machineKills == 0 {
			m.finish()
			m = newMachine(t, c)
			m.start(true).kill()
			add(&c.KillsProcess)
			continue
		}
		m.strike(d, uint64(i))
		add(&c.KillsProcess)
		judge(t, c, fmt.Sprintf("kill %d", i), m.place(), m.book.upTo(-1))
		if t.Failed() {
			return
		}
	}
	m.finish()
}

func (m *machine) strike(d *dice, event uint64) {
	m.t.Helper()
	if d.r.IntN(4) == 0 {
		early, cancel := context.WithTimeout(ctx, time.Duration(d.r.IntN(150))*time.Millisecond)
		defer cancel()
		m.serve(early, d.r.IntN(3) == 0).kill()
		return
	}
	s := m.start(d.r.IntN(10) == 0)
	stop := m.load(s.address, event, true)
	time.Sleep(time.Duration(d.r.IntN(250)) * time.Millisecond)
	s.kill()
	time.Sleep(5 * time.Millisecond) // calls to a dead server fail
	stop()
}

// finish settles a machine and has it checked as an operator would: the snapshot of the orderly stop
// equals the state replayed from the first frame.
func (m *machine) finish() {
	if m == nil {
		return
	}
	m.t.Helper()
	m.settle()
	judge(m.t, m.c, "settled", m.place(), m.book.upTo(-1))
	p := m.place()
	ring, err := keyring.Open(p.keys, keyring.Options{Production: true})
	require.NoError(m.t, err)
	r, err := job.Fsck(ctx, job.FsckOptions{Domain: domainID, LogDir: p.log, CheckpointDir: p.second, Ring: ring, Clock: time.Now, Logger: quiet})
	require.NoError(m.t, err)
	if !r.Found || !r.Agrees || !r.Log.OK() {
		add(&m.c.Diverged)
		m.t.Errorf("seed %d: after an orderly stop: snapshot found %t, agrees %t, log %+v", run.seed, r.Found, r.Agrees, *r.Log)
	}
}
