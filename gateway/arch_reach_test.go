package gateway_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// reach says what a package may not come to by any path of imports. Packages
// that fit except are not walked through: what they hold is theirs to hold.
type reach struct {
	from   []string
	never  []string
	except []string
	why    string
}

var (
	everything = append([]string{"benchmarks/..."}, products...)
	products   = []string{"cmd/...", "connectors/...", "masking/...", "compute/...", "gateway/..."}
)

// drivers speak to sources or to a network.
var drivers = []string{
	"net/...", "crypto/tls", "database/sql/...", grpc, restgate, pebble, lattigo, arrow, cedar, prometheus,
	"modernc.org/...", "github.com/jackc/...", "github.com/go-sql-driver/...",
}

var reaches = []reach{
	{from: []string{"cmd/yumen-verify"}, never: drivers,
		why: "the verifier is offline"},
	{from: everything, never: []string{lattigo}, except: []string{"compute/he/..."},
		why: "lattigo is reached through compute/he alone"},
	{from: everything, never: []string{pebble}, except: []string{"compute/lookup/..."},
		why: "Pebble is reached through compute/lookup alone"},
	{from: everything, never: []string{sm2, smx509}, except: []string{"gateway/keyring"},
		why: "signing keys are the keyring's"},
	{from: everything, never: []string{tjfoc}, except: []string{"gateway/server"},
		why: "tjfoc serves the TLCP listener and tests"},
	{from: []string{"masking/...", "compute/...", "connectors/..."},
		never: []string{"gateway/...", "cmd/...", "benchmarks/..."},
		why:   "data rooms know nothing of the gateway"},
	{from: []string{"connectors/..."}, never: []string{"compute/...", "masking/..."}, except: []string{"masking/identifier"},
		why: "connectors, masking and compute do not know each other"},
	{from: []string{"masking/..."}, never: []string{"compute/...", "connectors/..."},
		why: "connectors, masking and compute do not know each other"},
	{from: []string{"compute/..."}, never: []string{"masking/...", "connectors/..."}, except: []string{"masking/identifier"},
		why: "connectors, masking and compute do not know each other"},
	{from: []string{"masking/identifier", "gateway/job/spec"}, never: everything,
		why: "leaves import nothing of ours"},
	{from: []string{"gateway/audit", "gateway/keyring", "gateway/receipt", "gateway/governance", "gateway/ledger"},
		never: []string{"gateway/release/...", "gateway/job/...", "gateway/server", "gateway/api/...", "gateway/client/...", "connectors/...", "compute/...", grpc},
		why:   "leaves stand below the gate"},
	{from: []string{"gateway/release/..."}, never: []string{"gateway/job/...", "gateway/api/...", "connectors/...", "compute/lookup", "compute/plain", grpc},
		why: "the gate judges; it neither reads nor computes nor speaks"},
	{from: []string{"gateway/rpc", "gateway/rest", "gateway/flight", "gateway/console"},
		never: []string{"connectors/...", "gateway/job", "gateway/server", "masking", "compute/plain", "compute/lookup", "compute/he"},
		why:   "a transport has no way to a row"},
	{from: products, never: []string{"benchmarks/..."},
		except: []string{"cmd/yumen", "cmd/yumen-bench", "gateway/e2e/..."},
		why:    "a made-up city is for the demo and the benchmarks"},
}

// reached judges the rules on all that a package comes to.
func reached(g graph) []string {
	var bad []string
	for i := range reaches {
		r := &reaches[i]
		for _, start := range slices.Sorted(maps.Keys(g)) {
			if !ours(start) || !fitsAny(r.from, start) || fitsAny(r.except, start) {
				continue
			}
			if way := walk(g, start, r); way != nil {
				bad = append(bad, fmt.Sprintf("%s: %s", r.why, strings.Join(way, " -> ")))
			}
		}
	}
	return bad
}

// walk returns the shortest forbidden way from a package, or nil. A package
// may reach others of its own room.
func walk(g graph, start string, r *reach) []string {
	from := map[string]string{start: ""}
	for queue := []string{start}; len(queue) > 0; queue = queue[1:] {
		p := g[queue[0]]
		if p == nil {
			continue
		}
		for _, imp := range p.imports {
			if _, seen := from[imp]; seen || fitsAny(r.except, imp) {
				continue
			}
			from[imp] = queue[0]
			if fitsAny(r.never, imp) {
				way := []string{imp}
				for at := queue[0]; at != ""; at = from[at] {
					way = append(way, at)
				}
				slices.Reverse(way)
				return way
			}
			queue = append(queue, imp)
		}
	}
	return nil
}

// tests judges what test files import: the data rooms are tested without the
// gateway and without each other.
func tests(g graph) []string {
	var bad []string
	for _, path := range slices.Sorted(maps.Keys(g)) {
		top, _, _ := strings.Cut(path, "/")
		if !slices.Contains([]string{"connectors", "masking", "compute"}, top) {
			continue
		}
		for _, imp := range g[path].testImports {
			if ours(imp) && !fits(top+"/...", imp) && imp != "masking/identifier" {
				bad = append(bad, fmt.Sprintf("tests of %s import %s", path, imp))
			}
		}
	}
	return bad
}

// room names the part of the house a package is in. The leaves that everyone
// may know are rooms of their own.
func room(path string) string {
	if path == "masking/identifier" || path == "gateway/job/spec" {
		return path
	}
	parts := strings.Split(path, "/")
	if parts[0] == "gateway" || parts[0] == "cmd" || parts[0] == "benchmarks" {
		return strings.Join(parts[:min(2, len(parts))], "/")
	}
	return parts[0]
}

// cycles returns the rooms from which imports lead back to themselves.
func cycles(g graph) []string {
	rooms := graph{}
	for path, p := range g {
		if !ours(path) {
			continue
		}
		from := room(path)
		if rooms[from] == nil {
			rooms[from] = &pkg{}
		}
		for _, imp := range p.imports {
			if to := room(imp); ours(imp) && to != from {
				rooms[from].imports = append(rooms[from].imports, to)
			}
		}
	}
	var bad []string
	for _, name := range slices.Sorted(maps.Keys(rooms)) {
		for _, next := range rooms[name].imports {
			if way := walk(rooms, next, &reach{never: []string{name}}); way != nil {
				bad = append(bad, name+" -> "+strings.Join(way, " -> "))
				break
			}
		}
	}
	return bad
}
