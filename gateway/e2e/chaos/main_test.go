package chaos

import (
	"context"
	_ "embed"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/yumen-project/yumen/benchmarks/city"
	"github.com/yumen-project/yumen/gateway/governance"
	"github.com/yumen-project/yumen/gateway/server"
)

//go:embed testdata/domain.yaml
var domainText string

// size of a run; the defaults are the short run.
type size struct {
	seed                                         uint64
	kills, processes, flips, rollbacks, requests int
	faults                                       int
	report                                       string
}

var run size

func TestMain(m *testing.M) {
	flag.Uint64Var(&run.seed, "seed", 20261101, "seed of the run")
	flag.IntVar(&run.kills, "kills", 14, "kills in all")
	flag.IntVar(&run.processes, "processes", 4, "kills among them of a real process; the others copy a working log")
	flag.IntVar(&run.flips, "flips", 30, "flips and tears")
	flag.IntVar(&run.rollbacks, "rollbacks", 6, "older copies put back")
	flag.IntVar(&run.requests, "requests", 5000, "raced requests")
	flag.IntVar(&run.faults, "faults", 1, "processes with a failing system call")
	flag.StringVar(&run.report, "report", "", "file for the line of counts")
	flag.Parse()
	os.Exit(withCity(m))
}

func withCity(m *testing.M) int {
	root, err := os.MkdirTemp("", "yumen-chaos-")
	if err == nil {
		defer os.RemoveAll(root)
		err = town.make(root)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "chaos:", err)
		return 1
	}
	return m.Run()
}

// registers is what every part only reads: a city, the domain file, the keys of who sign it.
type registers struct {
	root, sources     string
	people            []city.Person
	domain, approvals []byte
	tables            []string
	single            string // who has consented
}

var town registers

const tableText = `  - id: %s
    dataset: housing
    group_by: [district]
    measures: [{kind: count, rho: "0.005"}, {kind: mean, field: value, low: "0", high: "%d", rho: "0.02"}]
    privacy: {mechanism: gaussian, max_groups: 1, max_records: 2, rho: "0.005", tau: 20, keys: [{field: district, public: ["220202", "220203", "220204", "220211"]}]}
`

func (g *registers) make(root string) error {
	g.root, g.sources = root, filepath.Join(root, "registers")
	c, err := city.New(city.Params{Persons: 800, Seed: 20261031})
	if err != nil {
		return err
	}
	if err := c.Write(context.Background(), g.sources, city.Parquet, nil); err != nil {
		return err
	}
	fill := []string{"TERMS", strings.Repeat("5a", 32), "PLAN", strings.Repeat("6b", 32), "LETTER", strings.Repeat("7c", 32)}
	for i := range c.Persons() {
		p := c.Person(i)
		g.people = append(g.people, p)
		if g.single == "" && p.InCivil && p.Marital == city.Single && !p.CivilObjection {
			g.single = p.RID
		}
	}
	tables := ""
	for i := range 6 { // the first two are one query under two names
		id := fmt.Sprintf("value-%d", i)
		g.tables, tables = append(g.tables, id), tables+fmt.Sprintf(tableText, id, 1_000_000*max(i, 1))
	}
	fill = append(fill, "SUBJECT(single)", g.single, "TABLES\n", tables, "TABLE-IDS", strings.Join(g.tables, ", "))
	return g.sign(fill)
}

// sign fills the domain file and signs every scenario by its authority and providers.
func (g *registers) sign(fill []string) error {
	if err := os.MkdirAll(filepath.Join(g.root, "keys"), 0o700); err != nil {
		return err
	}
	for _, party := range []string{"shuju", "gongan", "minzheng", "zhujian"} {
		key, err := server.GenerateKey(g.keyFile(party), server.ApprovalKey)
		if err != nil {
			return err
		}
		fill = append(fill, "KEY("+party+")", key)
	}
	g.domain = []byte(strings.NewReplacer(fill...).Replace(domainText))
	d, err := governance.ParseDomain(g.domain)
	if err != nil {
		return err
	}
	var wanted []server.Approval
	for _, s := range d.Scenarios {
		wanted = append(wanted, server.Approval{Object: "scenario", ID: s.ID, Party: s.Authority, Role: "authority", KeyFile: g.keyFile(s.Authority)})
		for _, p := range s.Providers {
			wanted = append(wanted, server.Approval{Object: "scenario", ID: s.ID, Party: p, Role: "provider", KeyFile: g.keyFile(p)})
		}
	}
	g.approvals, err = server.Approve(g.domain, nil, wanted...)
	return err
}

func (g *registers) keyFile(party string) string {
	return filepath.Join(g.root, "keys", party+".key")
}
