package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/pprof"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/yumen-project/yumen/benchmarks/scenario"
	"github.com/yumen-project/yumen/gateway/server"
)

// A child is a server in a process of its own. It prints one line of JSON when it serves, then one for
// every line it reads, and ends when its input does: so no child outlives the program.
const (
	askCPU     = "cpu"     // how much processor time it has used
	askProfile = "profile" // profile from now on
)

// childLine is what a child prints.
type childLine struct {
	Address string `json:"address,omitempty"`
	CPUMicr int64  `json:"cpu_us,omitempty"`
	Error   string `json:"error,omitempty"`
}

// child is one server process from the inside.
type child struct {
	gatewayDir, cityDir    string
	cpuProfile, memProfile string
	in                     io.Reader
	out                    *json.Encoder
	stderr                 io.Writer
	profiling              *os.File
}

func childCommand() *cobra.Command {
	k := &child{}
	c := &cobra.Command{Use: "child gateway|bare", Hidden: true, Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			k.in, k.out, k.stderr = c.InOrStdin(), json.NewEncoder(c.OutOrStdout()), c.ErrOrStderr()
			return k.run(c.Context(), args[0])
		}}
	f := c.Flags()
	f.StringVar(&k.gatewayDir, "gateway", "", "data directory of the gateway")
	f.StringVar(&k.cityDir, "city", "", "directory of the registers")
	f.StringVar(&k.cpuProfile, "cpuprofile", "", "file for a processor profile")
	f.StringVar(&k.memProfile, "memprofile", "", "file for a profile of allocations")
	return c
}

func (k *child) run(ctx context.Context, what string) error {
	server.TuneRuntime() // for both, as yumen serve does
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	go func() {
		defer stop()
		k.obey()
	}()
	var err error
	switch what {
	case "gateway":
		err = k.gateway(ctx)
	case "bare":
		err = scenario.ServeBare(ctx, k.gatewayDir, k.ready)
	default:
		return usageError{errors.New("child: want gateway or bare")}
	}
	return errors.Join(err, k.finish())
}

func (k *child) ready(address string) error { return k.out.Encode(childLine{Address: address}) }

// gateway is what `yumen serve` does.
func (k *child) gateway(ctx context.Context) error {
	config, err := scenario.Config(k.gatewayDir, k.cityDir)
	if err != nil {
		return err
	}
	logger, err := server.NewLogger(k.stderr, config)
	if err != nil {
		return err
	}
	s, err := server.Open(ctx, config, "yumen-bench", logger)
	if err != nil {
		return err
	}
	if why := s.Sealed(); why != "" {
		return errors.New("gateway is sealed: " + why)
	}
	served := make(chan error, 1)
	go func() { served <- s.Run(ctx) }()
	return errors.Join(k.ready(s.GRPCAddr()), <-served)
}

// obey answers what the program asks until the input ends.
func (k *child) obey() {
	for lines := bufio.NewScanner(k.in); lines.Scan(); {
		var line childLine
		switch lines.Text() {
		case askCPU:
			line.CPUMicr = cpuMicros()
		case askProfile:
			if err := k.profile(); err != nil {
				line.Error = err.Error()
			}
		}
		if k.out.Encode(line) != nil {
			return
		}
	}
}

func cpuMicros() int64 {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()).Microseconds()
}

var errProfile = errors.New("profile: file not writable")

func (k *child) profile() error {
	if k.cpuProfile == "" {
		return nil
	}
	f, err := os.Create(k.cpuProfile)
	if err != nil {
		return errProfile
	}
	k.profiling = f
	return pprof.StartCPUProfile(f)
}

// finish writes profiles; the servers have ended by now.
func (k *child) finish() error {
	var err error
	if k.profiling != nil {
		pprof.StopCPUProfile()
		err = k.profiling.Close()
	}
	if k.memProfile == "" {
		return err
	}
	f, openErr := os.Create(k.memProfile)
	if openErr != nil {
		return errors.Join(err, errProfile)
	}
	runtime.GC()
	if writeErr := pprof.Lookup("allocs").WriteTo(f, 0); writeErr != nil {
		err = errors.Join(err, fmt.Errorf("profile: %w", writeErr))
	}
	return errors.Join(err, f.Close())
}
