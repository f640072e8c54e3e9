// Package chaos kills, breaks, sets back and overloads the gateway from one seed, and holds its log
// against what was delivered after every event.
//
// What is real: `yumen serve` as a process of its own, killed with SIGKILL under load, with failing
// system calls, on a full and on a read-only file system. What is in process: the same runner, whose
// files are copied while it works, as a kill would leave them, and opened again; changed and older
// files; 256 callers on small budgets while the clock jumps.
//
// The judge shares no code with the ledger's limits: it reads every frame again, adds up charges itself
// and knows the limits from the domain file. A run is replayed with -args -seed; the order in which
// goroutines and the kernel act is theirs.
package chaos
