package server

import (
	"os"
	"runtime/debug"
)

// heapGrowth is how much the heap may grow before a collection, in per cent: the live heap is small
// beside what an answer allocates and drops, so collecting less often buys throughput for memory.
const heapGrowth = 400

// TuneRuntime sets what the Go runtime can be told for a serving process. GOGC in the environment wins.
func TuneRuntime() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(heapGrowth)
	}
}
