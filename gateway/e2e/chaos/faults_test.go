package chaos

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	apiv1 "github.com/yumen-project/yumen/gateway/api/v1"
	"github.com/yumen-project/yumen/gateway/client"
)

// sites are the system calls that write, sync, rename and open, and how each may fail.
var sites = []struct {
	call   string
	errors []string
}{
	{"fdatasync", []string{"EIO", "ENOSPC", "EINTR"}},
	{"pwrite64", []string{"EIO", "ENOSPC", "EINTR"}},
	{"openat", []string{"EIO", "ENOSPC", "EINTR"}},
	{"renameat", []string{"EIO", "ENOSPC", "EINTR"}},
	{"fallocate", []string{"EIO", "ENOSPC", "EINTR"}},
	{"fsync", []string{"EIO", "ENOSPC", "EINTR"}},
	{"ftruncate", []string{"EIO", "EINTR"}},
	{"mkdirat", []string{"EIO", "ENOSPC"}},
	{"pread64", []string{"EIO", "EINTR"}},
	{"write", []string{"EIO", "EINTR"}},
}

// skip says plainly what did not run.
func (c *counts) skip(t *testing.T, what string) {
	c.Skipped = append(c.Skipped, what)
	t.Skip(what)
}

// faults runs the real server while the kernel fails one call, or every one from some moment on; also on
// the very first start. It may stop or refuse. What it delivered is in the log, and without the fault
// it comes up again.
func faults(t *testing.T, c *counts) {
	if run.faults == 0 {
		return
	}
	if err := exec.Command("strace", "-qq", "-f", "--seccomp-bpf", "-o", os.DevNull, "-e", "trace=fsync", "true").Run(); err != nil {
		c.skip(t, "failing system calls: strace cannot trace here")
	}
	town.command(t) // building it takes time of its own
	d := newDice(13, 0, "faults")
	m := newMachine(t, c)
	fresh := true
	for i := range run.faults {
		site := sites[i%len(sites)]
		failure := site.errors[d.r.IntN(len(site.errors))]
		when := fmt.Sprint(1 + d.r.IntN(40))
		if d.r.IntN(3) == 0 {
			when += "+"
		}
		at := fmt.Sprintf("fault %d: %s on %s %s, first start %t", i, failure, site.call, when, fresh)
		early, cancel := context.WithTimeout(ctx, 10*time.Second)
		trace := filepath.Join(m.dir, "trace")
		s := m.serve(early, fresh, "strace", "-D", "-qq", "-f", "--seccomp-bpf", "-o", trace, "-e", "trace="+site.call,
			"-e", "inject="+site.call+":error="+failure+":when="+when)
		cancel()
		if s.address != "" && !fresh {
			stop := m.load(s.address, 1<<20|uint64(i), false)
			time.Sleep(time.Duration(100+d.r.IntN(300)) * time.Millisecond)
			_ = s.cmd.Process.Kill()
			stop()
		}
		s.kill()
		add(&c.Faults)
		text, err := os.ReadFile(trace)
		require.NoError(t, err)
		if bytes.Contains(text, []byte("(INJECTED)")) {
			add(&c.Struck)
		}
		m.start(fresh).kill() // the fault is gone
		if fresh {
			m.start(false).kill()
		}
		judge(t, c, at, m.place(), m.book.upTo(-1))
		require.False(t, t.Failed(), at)
		fresh = d.r.IntN(4) == 0
		if fresh {
			m.finish()
			m = newMachine(t, c)
		}
	}
	if !fresh {
		m.finish()
	}
}

// private runs a script before the command in a mount namespace of its own.
func private(script string) []string {
	return []string{"unshare", "-Urm", "sh", "-c", script + ` && exec "$@"`, "sh"}
}

func canMount() bool {
	return exec.Command("unshare", "-Urm", "sh", "-c", "mount -t tmpfs -o size=1m none /tmp").Run() == nil
}

// full serves from a small file system until it has no room, under answers of many subjects each.
func full(t *testing.T, c *counts) {
	if run.faults == 0 {
		return
	}
	if !canMount() {
		c.skip(t, "full disk: no mount namespace for an ordinary user here")
	}
	small := []int{40, 80} // less than a segment; a segment and not two, which takes a while to fill
	m := newMachine(t, c)
	m.start(true).kill()
	for i, megabytes := range small[:min(run.faults/10+1, len(small))] {
		grown := newMachine(t, c)
		copyDir(t, m.data(), filepath.Join(grown.dir, "seed"))
		seed := filepath.Join(grown.dir, "seed")
		require.NoError(t, os.MkdirAll(grown.data(), 0o700))
		if megabytes < 64 { // no log yet: the first segment does not fit
			for _, gone := range []string{"log", "checkpoints"} {
				require.NoError(t, os.RemoveAll(filepath.Join(seed, gone)))
			}
		}
		script := fmt.Sprintf("mount -t tmpfs -o size=%dm,mode=700 none '%s' && cp -a --sparse=always '%s/.' '%s'", megabytes, grown.data(), seed, grown.data())
		early, cancel := context.WithTimeout(ctx, 20*time.Second)
		s := grown.serve(early, megabytes < 64, private(script)...)
		cancel()
		if megabytes < 64 {
			require.Empty(t, s.address, "serves without room for a log")
			s.kill()
		} else {
			require.NotEmpty(t, s.address, s.said)
			require.NoError(t, os.RemoveAll(filepath.Join(grown.data(), "tls")))
			inside := filepath.Join("/proc", fmt.Sprint(s.cmd.Process.Pid), "root", grown.data())
			copyDir(t, filepath.Join(seed, "tls"), filepath.Join(grown.data(), "tls"))
			copyDir(t, filepath.Join(seed, "tokens"), filepath.Join(grown.data(), "tokens"))
			grown.fill(s.address, uint64(i))
			require.NoError(t, s.cmd.Process.Signal(syscall.SIGSTOP))
			after := filepath.Join(grown.dir, "after")
			copyDir(t, inside, after) // before the directory below the mount goes, and the mount with it
			s.kill()
			require.NoError(t, os.RemoveAll(grown.data()))
			require.NoError(t, os.Rename(after, grown.data()))
			judge(t, c, "disk full", grown.place(), grown.book.upTo(-1))
			grown.finish()
		}
		add(&c.Full)
	}
}

// fill asks for large batches beside single questions until no more room is left for an answer.
func (m *machine) fill(address string, event uint64) {
	m.t.Helper()
	stop := m.load(address, 1<<21|event, false)
	defer stop()
	callers := m.callers(address)
	subjects := make([]*apiv1.Subject, 20_000)
	for i := range subjects {
		subjects[i] = &apiv1.Subject{Number: town.people[i%len(town.people)].RID}
	}
	for range 200 {
		key, made, err := client.NewKey()
		require.NoError(m.t, err)
		out, err := callers["bank"].VerifyBatch(ctx, &apiv1.VerifyBatchRequest{Scenario: "finance", Template: "urban", Subjects: subjects, IdempotencyKey: key, KeyTimeMs: made})
		if err != nil {
			m.t.Logf("the disk is full: %v", err)
			return
		}
		m.answered(key, out.GetReceipt())
	}
	m.t.Error("a small disk never got full")
}

// readOnly starts over a file system that cannot be written: the server does not come up and changes nothing.
func readOnly(t *testing.T, c *counts) {
	if run.faults == 0 {
		return
	}
	if !canMount() {
		c.skip(t, "read-only file system: no mount namespace for an ordinary user here")
	}
	m := newMachine(t, c)
	m.start(true).kill()
	early, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	s := m.serve(early, false, private(fmt.Sprintf("mount --bind '%[1]s' '%[1]s' && mount -o remount,bind,ro '%[1]s'", m.data()))...)
	if s.address != "" && !s.sealed {
		t.Errorf("serves from a file system that cannot be written")
	}
	t.Logf("said: %s", s.said)
	s.kill()
	add(&c.ReadOnly)
	judge(t, c, "read-only", m.place(), nil)
	m.finish()
}
