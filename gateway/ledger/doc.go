// Package ledger holds what has been spent: quotas, match attempts and idempotency keys.
//
// It is a deterministic state machine over the log. Only frames change what is spent; a Hold is
// volatile and lets concurrent work see each other's intentions before anything is durable. Two
// ledgers that applied the same frames have the same Digest, whatever was held in between.
//
// Protected: no account passes its limit, no idempotency key is charged twice, and a clock set
// back refills nothing, because time is the later of the clock and the newest frame.
// Not protected: the log itself. Whether a frame is genuine is the business of package audit.
package ledger
