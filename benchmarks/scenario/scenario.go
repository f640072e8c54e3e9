// Package scenario sets up what a gateway is measured on: a city in files, a
// domain file signed by its parties, and the answers that must come back.
//
// What is measured is the real way: the registers are read from disk, the
// scenario is approved by two signatures, callers come with a certificate, and
// every answer is compared with what the city knows of the person asked about.
// The persons are synthetic; the keys lie open in the directory and are worth
// nothing elsewhere.
package scenario

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/yumen-project/yumen/benchmarks/city"
	"github.com/yumen-project/yumen/gateway/server"
)

//go:embed domain.yaml
var domainFile string

// What the domain file of this package calls things.
const (
	Domain    = "measured"
	Scenario  = "lending"
	Dataset   = "household"
	Unit      = "bank"  // asks
	Authority = "shuju" // applies domain files
	provider  = "gongan"
)

// ErrDirectory says that a directory of the scenario cannot be made or written.
var ErrDirectory = errors.New("scenario: directory not usable")

// World is a directory with all that a gateway needs to be measured.
type World struct {
	// City is the oracle of every answer.
	City *city.City

	cities, gateway string
	now             time.Time
	keys            map[string]string // public keys by party
}

// Make writes the registers of a city below dir, unless they lie there already,
// and a fresh directory for one gateway. now dates agreements. progress is that
// of city.Write.
func Make(ctx context.Context, dir string, p city.Params, now time.Time, progress func(done, total int64)) (*World, error) {
	town, err := city.New(p)
	if err != nil {
		return nil, err
	}
	w := &World{City: town, now: now, keys: map[string]string{}}
	w.cities = filepath.Join(dir, fmt.Sprintf("city-%d-%d", p.Persons, p.Seed))
	if _, err := os.Stat(w.register()); err != nil {
		if err := town.Write(ctx, w.cities, city.Parquet, progress); err != nil {
			return nil, err
		}
	}
	if w.gateway, err = os.MkdirTemp(dir, "gateway-"); err != nil {
		return nil, ErrDirectory
	}
	return w, errors.Join(w.makeKeys(), w.writeDomain())
}

// register is the file that is written last of what is read here.
func (w *World) register() string { return filepath.Join(w.cities, Dataset+".parquet") }

// GatewayDir is the data directory of the gateway; it holds its log.
func (w *World) GatewayDir() string { return w.gateway }

// CityDir is where the registers lie.
func (w *World) CityDir() string { return w.cities }

// DomainFile is the first version of the domain file; its approvals lie beside it.
func (w *World) DomainFile() string { return filepath.Join(w.gateway, "domain.yaml") }

// Remove deletes the gateway's directory and keeps the city.
func (w *World) Remove() error {
	if os.RemoveAll(w.gateway) != nil {
		return ErrDirectory
	}
	return nil
}

func (w *World) keyFile(party string) string {
	return filepath.Join(w.gateway, "party-keys", party+".key")
}

func (w *World) makeKeys() error {
	if os.MkdirAll(filepath.Join(w.gateway, "party-keys"), 0o700) != nil {
		return ErrDirectory
	}
	for _, party := range []string{Authority, provider} {
		public, err := server.GenerateKey(w.keyFile(party), server.ApprovalKey)
		if err != nil {
			return err
		}
		w.keys[party] = public
	}
	return nil
}

func (w *World) writeDomain() error {
	file, approvals, err := w.Version(1)
	if err != nil {
		return err
	}
	if os.WriteFile(w.DomainFile(), file, 0o600) != nil || os.WriteFile(server.ApprovalsBeside(w.DomainFile()), approvals, 0o600) != nil {
		return ErrDirectory
	}
	return nil
}

// Version is the domain file whose register carries that version, and its
// approvals. A gateway to which it is applied builds the index anew, aside, and
// swaps it in; DataAsOf of later answers is AsOf(version).
func (w *World) Version(version int) (file, approvals []byte, err error) {
	const day = "2006-01-02"
	text := strings.NewReplacer(
		"[FROM]", w.now.AddDate(0, -1, 0).Format(day), "[UNTIL]", w.now.AddDate(1, 0, 0).Format(day),
		"[VERSION]", fmt.Sprint(version), "[ASOF]", w.AsOf(version),
		"[KEY:"+Authority+"]", w.keys[Authority], "[KEY:"+provider+"]", w.keys[provider],
	).Replace(domainFile)
	approvals, err = server.Approve([]byte(text), nil,
		server.Approval{Object: "scenario", ID: Scenario, Party: Authority, Role: "authority", KeyFile: w.keyFile(Authority)},
		server.Approval{Object: "scenario", ID: Scenario, Party: provider, Role: "provider", KeyFile: w.keyFile(provider)})
	return []byte(text), approvals, err
}

// AsOf is the day for which a version of the register holds: one day later each.
func (w *World) AsOf(version int) string {
	return w.now.AddDate(0, -1, version).Format("2006-01-02")
}

// Config is the configuration of the gateway: that of a development gateway on
// free ports of this machine, everything else as delivered.
func (w *World) Config() (*server.Config, error) { return Config(w.gateway, w.cities) }

// Config is what World.Config gives, for a process that knows the directories alone.
func Config(gatewayDir, cityDir string) (*server.Config, error) {
	flags := map[string]string{
		"data-dir": gatewayDir, "data-sources": cityDir, "domain-file": filepath.Join(gatewayDir, "domain.yaml"),
		"listen-grpc": "127.0.0.1:0", "listen-http": "127.0.0.1:0",
	}
	c, err := server.Resolve(flags, func(string) (string, bool) { return "", false }, nil)
	if err != nil {
		return nil, err
	}
	return c, c.Complete()
}
