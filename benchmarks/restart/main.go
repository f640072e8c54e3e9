// Command restart measures how long a gateway with a long log takes from the start of its process until
// it serves, and what it then holds in memory.
//
//	go run ./benchmarks/restart -dir DIR -frames 10000000 fill   # writes the log, some 1.3 GB a million
//	go run ./benchmarks/restart -dir DIR open                    # starts, prints one line of JSON, stops
//
// fill writes frames as releases write them, through the log itself, in groups; the first open after it
// replays them all and leaves a snapshot when it stops, the next ones begin with that. Keys are all
// different and within the horizon. The files are the caller's to delete.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"strconv"
	"strings"
	"time"

	"github.com/yumen-project/yumen/gateway/server"
)

func main() {
	if err := run(context.Background(), os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "restart:", err)
		os.Exit(1) //nolint:forbidigo // a command of its own, outside cmd
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("restart", flag.ContinueOnError)
	dir := flags.String("dir", "", "directory of the gateway")
	frames := flags.Int("frames", 1_000_000, "frames that fill adds")
	kill := flags.Bool("kill", false, "open ends without a snapshot, as a crash does")
	profile := flags.String("cpuprofile", "", "file for a profile of open")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *dir == "" {
		return errors.New("-dir: needed")
	}
	switch flags.Arg(0) {
	case "fill":
		return fill(ctx, *dir, *frames, out)
	case "open":
		if *profile == "" {
			return measure(ctx, *dir, *kill, out)
		}
		f, err := os.Create(*profile)
		if err != nil {
			return err
		}
		defer f.Close()
		if err := pprof.StartCPUProfile(f); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
		return measure(ctx, *dir, *kill, out)
	}
	return errors.New("want fill or open")
}

// openGateway starts a gateway without a domain file on ports of its own.
func openGateway(ctx context.Context, dir string) (*server.Server, error) {
	flags := map[string]string{"data-dir": dir, "domain-id": domain, "listen-grpc": "127.0.0.1:0", "listen-http": "127.0.0.1:0"}
	c, err := server.Resolve(flags, func(string) (string, bool) { return "", false }, nil)
	if err != nil {
		return nil, err
	}
	if err := c.Complete(); err != nil {
		return nil, err
	}
	return server.Open(ctx, c, "restart", slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})))
}

// figures are what one start cost.
type figures struct {
	Seconds  float64 `json:"seconds"`      // from the start of the process until the gateway is open
	Snapshot int64   `json:"snapshot_mb"`  // newest snapshot file before the start
	RSS      int64   `json:"rss_mb"`       // after it
	Peak     int64   `json:"peak_rss_mb"`  // during it
	Heap     uint64  `json:"live_heap_mb"` // after a collection
	Stop     float64 `json:"stop_seconds"` // until everything is saved and closed; 0 for a crash
}

func measure(ctx context.Context, dir string, kill bool, out io.Writer) error {
	f := figures{Snapshot: snapshotMB(dir)}
	s, err := openGateway(ctx, dir)
	if err != nil {
		return err
	}
	f.Seconds = sinceStart().Seconds()
	if s.Sealed() != "" {
		return fmt.Errorf("gateway is sealed: %s", s.Sealed())
	}
	f.RSS, f.Peak = statusMB("VmRSS:"), statusMB("VmHWM:")
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	f.Heap = m.HeapAlloc >> 20
	if !kill {
		began := time.Now()
		if err := s.Runner().Close(); err != nil {
			return err
		}
		f.Stop = time.Since(began).Seconds()
	}
	return json.NewEncoder(out).Encode(f)
}

// sinceStart is the age of the process by the kernel's account, to a hundredth of a second.
func sinceStart() time.Duration {
	stat, err := os.ReadFile("/proc/self/stat")
	if err != nil {
		return 0
	}
	uptime, err := os.ReadFile("/proc/uptime")
	if err != nil {
		return 0
	}
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	const startTime, ticks = 19, 100
	began, errA := strconv.ParseFloat(fields[startTime], 64)
	now, errB := strconv.ParseFloat(strings.Fields(string(uptime))[0], 64)
	if errors.Join(errA, errB) != nil {
		return 0
	}
	return time.Duration((now - began/ticks) * float64(time.Second))
}

// statusMB reads a line of the kernel's account of the process.
func statusMB(name string) int64 {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		if f := strings.Fields(line); len(f) > 1 && f[0] == name {
			kb, _ := strconv.ParseInt(f[1], 10, 64) // 0 where it is no number
			return kb >> 10
		}
	}
	return 0
}

func snapshotMB(dir string) (size int64) {
	files, err := filepath.Glob(filepath.Join(dir, "log", "snapshots", "*.snap"))
	if err != nil || len(files) == 0 {
		return 0
	}
	info, err := os.Stat(files[len(files)-1])
	if err != nil {
		return 0
	}
	return info.Size() >> 20
}
