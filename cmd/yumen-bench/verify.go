package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"
	"google.golang.org/grpc"

	"github.com/yumen-project/yumen/benchmarks/city"
	"github.com/yumen-project/yumen/benchmarks/load"
	"github.com/yumen-project/yumen/benchmarks/scenario"
	"github.com/yumen-project/yumen/gateway/client"
)

// options of one measurement.
type options struct {
	persons, concurrency, connections, rounds, batch int
	seed                                             uint64
	rate                                             float64
	duration                                         time.Duration
	swap, asJSON                                     bool
	dir, template, cpuProfile, memProfile            string
}

func verifyCommand() *cobra.Command {
	o := &options{}
	c := &cobra.Command{Use: "verify", Args: noArgs,
		Short: "measure a gateway beside a bare gRPC server, both started here",
		Long: `Starts a gateway on a synthetic city and a bare gRPC health server, each in a process of its own, with
the same options and TLS 1.3 with client certificates, and measures them in turn. Every answer is
compared with the city; a wrong one ends the run. Without --rate or --batch the loop is closed.`,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := o.check(c.Flags().Changed("concurrency")); err != nil {
				return usageError{err}
			}
			m := &measurement{options: o, stderr: c.ErrOrStderr()}
			out, err := m.run(c.Context())
			if err != nil {
				return err
			}
			if o.asJSON {
				return json.NewEncoder(c.OutOrStdout()).Encode(out)
			}
			return out.print(c.OutOrStdout())
		}}
	f := c.Flags()
	f.IntVar(&o.persons, "persons", 1_000_000, "persons of the city")
	f.Uint64Var(&o.seed, "seed", 1, "which city")
	f.IntVar(&o.concurrency, "concurrency", 64, "calls under way in the closed loop; 4 with --batch unless set")
	f.IntVar(&o.connections, "connections", 4, "TLS connections")
	f.Float64Var(&o.rate, "rate", 0, "calls per second of an open loop")
	f.IntVar(&o.batch, "batch", 0, "verifications per VerifyBatch call")
	f.DurationVar(&o.duration, "duration", 5*time.Second, "length of one round")
	f.IntVar(&o.rounds, "rounds", 3, "rounds of each server; medians are reported")
	f.BoolVar(&o.swap, "swap", false, "swap the index in the middle of each round of the open loop")
	f.StringVar(&o.template, "template", scenario.Urban, "urban (one field) or same-person (name and phone)")
	f.StringVar(&o.dir, "dir", "", "directory that keeps the city for the next run; a temporary one where empty")
	f.StringVar(&o.cpuProfile, "cpuprofile", "", "file for a processor profile of the gateway under load")
	f.StringVar(&o.memProfile, "memprofile", "", "file for a profile of the gateway's allocations")
	f.BoolVar(&o.asJSON, "json", false, "one JSON object")
	return c
}

// openWorkers bounds calls under way in an open loop.
const openWorkers = 2048

func (o *options) check(concurrencySet bool) error {
	if o.batch > 0 && !concurrencySet {
		o.concurrency = 4
	}
	switch {
	case o.persons < 1000 || o.persons > 10_000_000:
		return errors.New("persons: want 1000 to 10000000")
	case o.concurrency < 1 || o.concurrency > 4096:
		return errors.New("concurrency: want 1 to 4096")
	case o.connections < 1 || o.connections > 256:
		return errors.New("connections: want 1 to 256")
	case o.rounds < 1 || o.rounds > 100:
		return errors.New("rounds: want 1 to 100")
	case o.duration < 100*time.Millisecond:
		return errors.New("duration: want 100ms or more")
	case !(o.rate >= 0 && o.rate <= 1e6):
		return errors.New("rate: want at most 1000000")
	case o.batch < 0 || o.batch > 100_000:
		return errors.New("batch: want at most 100000")
	case o.batch > 0 && o.rate > 0:
		return errors.New("batch and rate: want one")
	case o.swap && o.rate == 0:
		return errors.New("swap: needs rate")
	case o.template != scenario.Urban && o.template != scenario.SamePerson:
		return scenario.ErrTemplate
	}
	return nil
}

// measurement is one run of `verify`.
type measurement struct {
	*options
	stderr io.Writer

	world         *scenario.World
	gateway, bare *process
	clients       []*client.Client
	conns         []*grpc.ClientConn
	authority     *client.Client
	asker         *scenario.Asker
	version       int
	report        report
}

func (m *measurement) run(ctx context.Context) (out *report, err error) {
	dir, remove, err := m.directory()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, remove()) }()
	m.report.machine = thisMachine()
	town := city.Params{Persons: m.persons, Seed: m.seed}
	if m.world, err = scenario.Make(ctx, dir, town, time.Now(), progressOn(m.stderr, "registers")); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, m.world.Remove()) }()
	defer func() { err = errors.Join(err, m.close()) }()
	if err := m.start(ctx); err != nil {
		return nil, err
	}
	if err := m.measure(ctx); err != nil {
		return nil, err
	}
	m.report.machine.Load[1] = loadAverage()
	m.report.sum(m.options, m.gateway)
	return &m.report, nil
}

// directory makes the place where everything lies. Files there must cost what they cost on a disk.
func (m *measurement) directory() (dir string, remove func() error, err error) {
	if m.dir == "" {
		return temporary()
	}
	if os.MkdirAll(m.dir, 0o700) != nil {
		return "", nil, scenario.ErrDirectory
	}
	if inMemory(m.dir) {
		return "", nil, usageError{errInMemory}
	}
	dir, err = filepath.Abs(m.dir)
	return dir, func() error { return nil }, err
}

var errInMemory = errors.New("dir: lies in memory, where nothing is durable; name a directory on a disk")

// temporary makes a directory where the system keeps such, or below /var/tmp where those lie in memory.
func temporary() (dir string, remove func() error, err error) {
	for _, parent := range []string{os.TempDir(), "/var/tmp"} {
		if inMemory(parent) {
			continue
		}
		if dir, err = os.MkdirTemp(parent, "yumen-bench-"); err == nil {
			return dir, func() error { return os.RemoveAll(dir) }, nil
		}
	}
	return "", nil, errInMemory
}

// start brings both servers up and connects to them.
func (m *measurement) start(ctx context.Context) error {
	args := []string{"--gateway", m.world.GatewayDir(), "--city", m.world.CityDir()}
	for flag, file := range map[string]string{"--cpuprofile": m.cpuProfile, "--memprofile": m.memProfile} {
		if file != "" {
			args = append(args, flag, file)
		}
	}
	var err error
	if m.gateway, err = startChild(ctx, m.stderr, "gateway", args...); err != nil {
		return err
	}
	if m.bare, err = startChild(ctx, m.stderr, "bare", "--gateway", m.world.GatewayDir()); err != nil {
		return err
	}
	questions, err := scenario.NewQuestions(m.world.City, m.template)
	if err != nil {
		return err
	}
	if err := m.connect(); err != nil {
		return err
	}
	m.version = 1
	if m.asker, err = scenario.NewAsker(m.clients, questions); err != nil {
		return err
	}
	m.asker.Expect(m.world.AsOf(1))
	return nil
}

func (m *measurement) connect() error {
	unit, err := m.world.ClientTLS(scenario.Unit)
	if err != nil {
		return err
	}
	authority, err := m.world.ClientTLS(scenario.Authority)
	if err != nil {
		return err
	}
	if m.clients, err = scenario.Clients(m.gateway.address, unit, m.connections); err != nil {
		return err
	}
	if m.conns, err = scenario.Connections(m.bare.address, unit, m.connections); err != nil {
		return err
	}
	m.authority, err = client.New(client.Options{Address: m.gateway.address, TLS: authority})
	return err
}

func (m *measurement) close() error {
	var errs []error
	for _, c := range append(m.clients, m.authority) {
		if c != nil {
			errs = append(errs, c.Close())
		}
	}
	for _, c := range m.conns {
		errs = append(errs, c.Close())
	}
	for _, p := range []*process{m.bare, m.gateway} {
		if p != nil {
			errs = append(errs, p.stop())
		}
	}
	return errors.Join(errs...)
}

// warm is how long each server is driven at most before anything is measured.
const warm = time.Second

func (m *measurement) measure(ctx context.Context) error {
	for _, call := range []load.Call{m.callBare, m.callGateway} {
		if _, err := load.Closed(ctx, m.concurrency, min(warm, m.duration), call); err != nil {
			return fmt.Errorf("warm up: %w", err)
		}
	}
	if _, err := m.gateway.ask(askProfile); err != nil {
		return err
	}
	for range m.rounds {
		if m.batch == 0 {
			r, err := m.round(ctx, m.bare, m.callBare, false)
			if err != nil {
				return err
			}
			m.report.Bare = append(m.report.Bare, *r)
		}
		r, err := m.round(ctx, m.gateway, m.callGateway, m.swap)
		if err != nil {
			return err
		}
		m.report.Gateway = append(m.report.Gateway, *r)
		verified, err := m.asker.Check(ctx, m.world.GatewayDir())
		if err != nil {
			return err
		}
		m.report.ReceiptsVerified += verified
	}
	m.report.Answers = m.asker.Answers()
	return nil
}

func (m *measurement) callBare(ctx context.Context, worker int) error {
	return scenario.CheckHealth(ctx, m.conns[worker%len(m.conns)])
}

func (m *measurement) callGateway(ctx context.Context, worker int) error {
	if m.batch > 0 {
		return m.asker.Batch(ctx, worker, m.batch)
	}
	return m.asker.Verify(ctx, worker)
}
