// Package job is the composition: it takes a question through governance, ledger, connectors,
// masking or compute, and the gate, in that order, and gives back what the gate let out.
//
// Runner.Answer serves one call with one result; Jobs runs what stays in the development zone. All
// state that matters comes from the log: the ledger, the domain, registrations, jobs. What is held
// only in memory (holds, open indexes) is rebuilt from it.
//
// Protected: every refusal names a rule and depends on nothing in the data; nothing computed reaches
// a caller but through the gate. Not protected: the process that runs this sees raw rows.
package job
