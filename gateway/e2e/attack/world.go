package main

import (
	"context"
	"crypto/tls"
	_ "embed"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/yumen-project/yumen/benchmarks/city"
	"github.com/yumen-project/yumen/gateway/client"
	"github.com/yumen-project/yumen/gateway/governance"
	"github.com/yumen-project/yumen/gateway/server"
)

//go:embed domain.yaml
var domainText string

// world is a city, those who sign, and the gateways that answer about it.
type world struct {
	root, registers string
	town            *city.City
	people          []city.Person
	keys            map[string]string
	gateways        int
	open            []*gateway
}

func newWorld(ctx context.Context, s size) (*world, error) {
	root, err := os.MkdirTemp("", "yumen-attack-")
	if err != nil {
		return nil, errors.New("no temporary directory")
	}
	w := &world{root: root, registers: filepath.Join(root, "registers"), keys: map[string]string{}}
	if w.town, err = city.New(city.Params{Persons: s.persons, Seed: 20261031}); err != nil {
		return nil, err
	}
	if err := w.town.Write(ctx, w.registers, city.Parquet, nil); err != nil {
		return nil, err
	}
	for i := range w.town.Persons() {
		w.people = append(w.people, w.town.Person(i))
	}
	if err := os.MkdirAll(filepath.Join(root, "keys"), 0o700); err != nil {
		return nil, errors.New("temporary directory not writable")
	}
	for _, party := range []string{"shuju", "gongan", "minzheng", "zhujian", "renshe"} {
		if w.keys[party], err = server.GenerateKey(w.keyFile(party), server.ApprovalKey); err != nil {
			return nil, err
		}
	}
	return w, nil
}

func (w *world) keyFile(party string) string { return filepath.Join(w.root, "keys", party+".key") }

func (w *world) close() {
	for _, g := range w.open {
		_ = g.stop()
	}
	_ = os.RemoveAll(w.root)
}

// find is the n-th person that fits, or the first person of all.
func (w *world) find(n int, fits func(*city.Person) bool) *city.Person {
	for i := range w.people {
		if p := &w.people[i]; fits(p) {
			if n == 0 {
				return p
			}
			n--
		}
	}
	return &w.people[0]
}

func (w *world) debtor() *city.Person {
	return w.find(0, func(p *city.Person) bool { return p.Insured && p.Debtor && p.InCivil && !p.Objection })
}

// fill puts keys, subjects and days into a domain file.
func (w *world) fill(text string) string {
	now := time.Now()
	pairs := []string{
		"TERMS", strings.Repeat("5a", 32), "PLAN", strings.Repeat("6b", 32), "LETTER", strings.Repeat("7c", 32),
		"FROM", now.AddDate(-1, 0, 0).Format(time.DateOnly), "UNTIL", now.AddDate(1, 0, 0).Format(time.DateOnly),
		"SUBJECT(debtor)", w.debtor().RID,
	}
	for party, key := range w.keys {
		pairs = append(pairs, "KEY("+party+")", key)
	}
	return strings.NewReplacer(pairs...).Replace(text)
}

// sign approves whatever a domain file wants approved: the authority and the providers are honest, and
// may be careless.
func (w *world) sign(text string) ([]byte, error) {
	d, err := governance.ParseDomain([]byte(text))
	if err != nil {
		return nil, err
	}
	var wanted []server.Approval
	for _, s := range d.Scenarios {
		wanted = append(wanted, server.Approval{Object: "scenario", ID: s.ID, Party: s.Authority, Role: "authority", KeyFile: w.keyFile(s.Authority)})
		for _, p := range s.Providers {
			wanted = append(wanted, server.Approval{Object: "scenario", ID: s.ID, Party: p, Role: "provider", KeyFile: w.keyFile(p)})
		}
	}
	return server.Approve([]byte(text), nil, wanted...)
}

// gateway starts one more gateway over a domain file and registers.
func (w *world) gateway(ctx context.Context, text, registers string) (*gateway, error) {
	w.gateways++
	dir := filepath.Join(w.root, "gateway-"+strconv.Itoa(w.gateways))
	text = w.fill(text)
	signed, err := w.sign(text)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(os.MkdirAll(dir, 0o700), os.WriteFile(filepath.Join(dir, "domain.yaml"), []byte(text), 0o600),
		os.WriteFile(filepath.Join(dir, "domain.approvals.yaml"), signed, 0o600)); err != nil {
		return nil, errors.New("temporary directory not writable")
	}
	config, err := server.Resolve(map[string]string{
		"data-dir": dir, "data-sources": registers, "domain-file": filepath.Join(dir, "domain.yaml"), "domain-id": "attack",
		"listen-grpc": "127.0.0.1:0", "listen-http": "127.0.0.1:0", "cache-mb": "8", "drain-seconds": "5", "log-level": "error",
	}, func(string) (string, bool) { return "", false }, nil)
	if err == nil {
		err = config.Complete()
	}
	if err != nil {
		return nil, err
	}
	inner, cancel := context.WithCancel(ctx)
	g := &gateway{dir: dir, cancel: cancel, served: make(chan error, 1), clients: map[string]*client.Client{}}
	if g.server, err = server.Open(inner, config, "attack", slog.New(slog.DiscardHandler)); err != nil {
		cancel()
		return nil, err
	}
	go func() { g.served <- g.server.Run(inner) }()
	w.open = append(w.open, g)
	return g, nil
}

// gateway is one server under attack.
type gateway struct {
	dir     string
	server  *server.Server
	cancel  context.CancelFunc
	served  chan error
	stopped bool
	clients map[string]*client.Client
}

func (g *gateway) stop() error {
	if g.stopped {
		return nil
	}
	g.stopped = true
	for _, c := range g.clients {
		_ = c.Close()
	}
	g.cancel()
	return <-g.served
}

func (g *gateway) token(party string) (string, error) {
	token, err := os.ReadFile(server.TokenFile(g.dir, party))
	if err != nil {
		return "", errors.New("token unreadable")
	}
	return strings.TrimSpace(string(token)), nil
}

func (g *gateway) tls() (*tls.Config, error) {
	roots, err := server.LoadCA(filepath.Join(g.dir, "tls", "ca.pem"))
	if err != nil {
		return nil, err
	}
	return &tls.Config{MinVersion: tls.VersionTLS13, RootCAs: roots}, nil
}

// as is a client of the party; not for concurrent first use.
func (g *gateway) as(party string) (*client.Client, error) {
	if c := g.clients[party]; c != nil {
		return c, nil
	}
	token, err := g.token(party)
	if err != nil {
		return nil, err
	}
	config, err := g.tls()
	if err != nil {
		return nil, err
	}
	c, err := client.New(client.Options{Address: g.server.GRPCAddr(), TLS: config, Token: token})
	if err != nil {
		return nil, err
	}
	g.clients[party] = c
	return c, nil
}
