package gateway_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Names of what is imported from elsewhere. "x/..." is x and all below.
const (
	arrow      = "github.com/apache/arrow/go/v17/..."
	sm2        = "github.com/emmansun/gmsm/sm2/..."
	sm3        = "github.com/emmansun/gmsm/sm3"
	sm4        = "github.com/emmansun/gmsm/sm4"
	smx509     = "github.com/emmansun/gmsm/smx509/..."
	tjfoc      = "github.com/tjfoc/gmsm/..."
	merkle     = "github.com/transparency-dev/merkle/..."
	pebble     = "github.com/cockroachdb/pebble/..."
	lattigo    = "github.com/tuneinsight/lattigo/..."
	cedar      = "github.com/cedar-policy/cedar-go/..."
	yaml       = "go.yaml.in/yaml/v3"
	cobra      = "github.com/spf13/cobra"
	pflag      = "github.com/spf13/pflag"
	koanf      = "github.com/knadh/koanf/..."
	progress   = "github.com/schollz/progressbar/v3"
	grpc       = "google.golang.org/grpc/..."
	protobuf   = "google.golang.org/protobuf/..."
	genproto   = "google.golang.org/genproto/..."
	restgate   = "github.com/grpc-ecosystem/grpc-gateway/v2/..."
	plot       = "gonum.org/v1/plot/..."
	prometheus = "github.com/prometheus/client_golang/..."
	sys        = "golang.org/x/sys/..."
	term       = "golang.org/x/term"
	text       = "golang.org/x/text/..."
)

// row says what the package, or packages below "x/...", may import besides the
// standard library. The row of the exact name is the law, else the longest that
// fits.
type row struct {
	room string
	may  []string
}

func allow(room string, may ...string) row { return row{room, may} }

// transport is what every way in may know: the message, the question, the
// released answer and value types of the leaves; never data or engines.
var transport = []string{
	"gateway/api/...", "gateway/job/spec", "gateway/release",
	"gateway/audit", "gateway/governance", "gateway/receipt", grpc, protobuf, genproto,
}

var law = []row{
	allow("connectors", arrow),
	allow("connectors/...", "connectors", "masking/identifier", arrow),

	allow("masking", "masking/...", arrow, sm3, sm4, yaml),
	allow("masking/...", "masking/kernel", "masking/identifier", "masking/sm3lanes", arrow, sm3, sm4),
	allow("masking/run", "masking", "masking/kernel", "masking/inorder", "masking/run/...", arrow, sm3),
	allow("masking/inorder"),
	allow("masking/sm3lanes", sm3, sys),
	allow("masking/fpe", "masking/kernel", "masking/identifier", arrow, sm3, sm4, sys),
	allow("masking/draw", "masking/kernel", sm3, sm4),
	allow("masking/shuffle", "masking/kernel", "masking/draw", arrow),
	allow("masking/rankswap", "masking/kernel", "masking/draw", arrow),
	allow("masking/pram", "masking/kernel", "masking/draw", arrow),
	allow("masking/microaggregate", "masking/kernel", "masking/draw", arrow),
	allow("masking/redact", "masking/kernel", arrow, sys),
	allow("masking/kernel", arrow),
	allow("masking/identifier"),

	allow("compute", arrow),
	allow("compute/...", "compute", "masking/identifier", arrow, sm3, sm4),
	allow("compute/lookup/...", "compute", "masking/identifier", arrow, sm3, sm4, pebble),
	allow("compute/he/...", "compute", "compute/he/...", "masking/identifier", arrow, sm3, sm4, lattigo),
	allow("compute/dp", "compute", arrow),
	allow("compute/disclosure", "compute", arrow),

	allow("gateway/api/...", grpc, protobuf, genproto, restgate),
	allow("gateway/audit", sm3, merkle, sys),
	allow("gateway/keyring", sm2, sm3, sm4, sys),
	allow("gateway/receipt", "gateway/audit", "gateway/keyring", sm3),
	allow("gateway/governance", "gateway/receipt", "gateway/keyring", "masking/identifier", sm3, yaml, cedar),
	allow("gateway/ledger", "gateway/audit"),
	allow("gateway/alarms"),
	allow("gateway/release", "masking/risk", "compute", "compute/dp", "gateway/audit", "gateway/governance",
		"gateway/keyring", "gateway/ledger", "gateway/receipt", sm3),
	allow("gateway/release/rules", "gateway/release", "gateway/governance", "gateway/receipt", "masking/risk", "compute"),
	allow("gateway/job", "connectors", "masking/...", "compute/...", "gateway/audit", "gateway/governance",
		"gateway/keyring", "gateway/ledger", "gateway/receipt", "gateway/release/...", "gateway/job/spec", "gateway/alarms", "gateway/encrypted", arrow, sm3),
	allow("gateway/job/spec"),
	allow("gateway/encrypted/wire", "compute/he/...", sm3),
	allow("gateway/encrypted", "gateway/encrypted/wire", "compute/he/...", "gateway/audit", "gateway/governance", "gateway/keyring", "gateway/receipt", sm3),
	allow("gateway/feed", "gateway/audit", "gateway/governance", "gateway/keyring"),
	allow("gateway/rpc", transport...),
	allow("gateway/rest", append(slices.Clone(transport), restgate)...),
	allow("gateway/flight", append(slices.Clone(transport), arrow)...),
	allow("gateway/console", transport...),
	allow("gateway/server", "gateway/...", "connectors/...", "masking/...", "compute/...",
		arrow, grpc, protobuf, restgate, prometheus, yaml, koanf, tjfoc, sys),
	allow("gateway/client", "gateway/api/...", "gateway/receipt", "gateway/audit", arrow, grpc, protobuf, genproto),
	allow("gateway/client/encrypted", "gateway/client", "gateway/api/...", "gateway/audit", "gateway/encrypted/wire", "gateway/receipt", "gateway/keyring", "compute/he/...",
		arrow, grpc, protobuf),
	allow("gateway/e2e/...", "..."),

	allow("cmd/yumen", "gateway/server", "gateway/client/...", "compute", "compute/plain", "gateway/keyring", "gateway/receipt", "gateway/audit", "gateway/api/...",
		"masking/...", "connectors/...", "benchmarks/city", arrow, cobra, pflag, koanf, progress, grpc, protobuf, plot, term, text),
	allow("cmd/yumen-party/...", "cmd/yumen-party/...", "compute/he/...", "gateway/client/...", "gateway/encrypted/wire", "gateway/api/...", "connectors/...",
		"gateway/receipt", "gateway/audit", "gateway/keyring", arrow, cobra, pflag, progress, grpc, protobuf, yaml, term),
	allow("cmd/yumen-verify", "gateway/receipt", "gateway/audit"),
	allow("cmd/yumen-bench", "gateway/server", "gateway/client", "gateway/api/...", "benchmarks/...",
		cobra, pflag, progress, grpc, protobuf, sys, term),
	allow("benchmarks/city", "masking/identifier", arrow),
	allow("benchmarks/masking", "benchmarks/city", "masking/...", "connectors/...", arrow),
	allow("benchmarks/scenario", "benchmarks/...", "gateway/server", "gateway/client", "gateway/receipt", "gateway/api/...",
		grpc, protobuf),
	allow("benchmarks/restart", "gateway/server", "gateway/job", "gateway/audit", "gateway/keyring", "gateway/ledger"),
	allow("benchmarks/...", "benchmarks/...", "gateway/client", "gateway/api/...", grpc, protobuf, term),
}

// fits reports whether a path is the pattern, or lies below "x/...".
func fits(pattern, path string) bool {
	below, tree := strings.CutSuffix(pattern, "...")
	if !tree {
		return pattern == path
	}
	return strings.HasPrefix(path+"/", below)
}

func rowOf(path string) *row {
	var best *row
	for i := range law {
		r := &law[i]
		if r.room == path {
			return r
		}
		if fits(r.room, path) && (best == nil || len(r.room) > len(best.room)) {
			best = r
		}
	}
	return best
}

// standard reports whether a path is of the standard library: no dot in its
// first element, and not ours.
func standard(path string) bool {
	top, _, _ := strings.Cut(path, "/")
	return !strings.Contains(top, ".") && !ours(path)
}

func fitsAny(patterns []string, path string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return fits(p, path) })
}

// direct judges the table. Randomness is handed in, so no room outside the
// benchmarks draws its own from math/rand.
func direct(g graph) []string {
	var bad []string
	for _, path := range slices.Sorted(maps.Keys(g)) {
		if !ours(path) || path == "gateway" {
			continue
		}
		r := rowOf(path)
		if r == nil {
			bad = append(bad, path+": no row in the law")
			continue
		}
		for _, imp := range g[path].imports {
			chance := strings.HasPrefix(imp, "math/rand") && !fits("benchmarks/...", path)
			if chance || !standard(imp) && !fitsAny(r.may, imp) {
				bad = append(bad, fmt.Sprintf("%s imports %s", path, imp))
			}
		}
	}
	return bad
}
