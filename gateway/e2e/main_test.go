package e2e

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/yumen-project/yumen/benchmarks/city"
	"github.com/yumen-project/yumen/gateway/server"
)

const (
	cityPersons = 3000
	citySeed    = 20261031
	cityDirt    = 0.2
)

// shared is what all tests only read: the registers of one city and the keys of those who sign.
type shared struct {
	root    string
	sources string
	town    *city.City
	people  []city.Person
	keys    map[string]string // party -> public key
}

var common shared

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	root, err := os.MkdirTemp("", "yumen-e2e-")
	if err == nil {
		defer os.RemoveAll(root)
		err = common.make(root)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		return 1
	}
	return m.Run()
}

func (s *shared) make(root string) (err error) {
	s.root, s.sources, s.keys = root, filepath.Join(root, "registers"), map[string]string{}
	if s.town, err = city.New(city.Params{Persons: cityPersons, Seed: citySeed, Dirt: cityDirt}); err != nil {
		return err
	}
	if err := s.town.Write(context.Background(), s.sources, city.Parquet, nil); err != nil {
		return err
	}
	for i := range s.town.Persons() {
		s.people = append(s.people, s.town.Person(i))
	}
	if err := os.MkdirAll(filepath.Join(root, "keys"), 0o700); err != nil {
		return err
	}
	for _, party := range []string{"shuju", "gongan", "minzheng", "zhujian", "renshe"} {
		if s.keys[party], err = server.GenerateKey(s.keyFile(party), server.ApprovalKey); err != nil {
			return err
		}
	}
	return nil
}

func (s *shared) keyFile(party string) string { return filepath.Join(s.root, "keys", party+".key") }

// person finds the first person that fits.
func person(t *testing.T, fits func(*city.Person) bool) *city.Person {
	t.Helper()
	for i := range common.people {
		if fits(&common.people[i]) {
			return &common.people[i]
		}
	}
	t.Fatal("nobody in the city fits")
	return nil
}

func single(t *testing.T) *city.Person {
	return person(t, func(p *city.Person) bool { return p.InCivil && p.Marital == city.Single && !p.CivilObjection })
}

func stranger(t *testing.T, n int) string {
	t.Helper()
	rid, err := common.town.Stranger(n)
	if err != nil {
		t.Fatal(err)
	}
	return rid
}
