// Package audit is the append-only log of a data domain: the one write that
// matters. Whatever was released, refused, changed or spent is a frame of this
// log, and the state of the gateway is a function of its frames.
//
// A frame is a public entry (80 bytes, the Merkle leaf: kind, time, hash of the
// statement, digest of the private record), the statement itself where there is
// one, and a private record of at most 16 MiB, written and synced together.
// Public entries go into tiles that anyone may read; statements and private
// records stay in the segment files.
//
// The tree is that of RFC 6962 with SM3 (GB/T 32905) in place of SHA-256; tiles
// and entry bundles are laid out as in C2SP tlog-tiles (height 8), checkpoints
// are C2SP signed notes in the form of tlog-checkpoint with an SM2 signature of
// 64 bytes (r and s, big endian) under a key type of our own.
//
// # What is protected
//
// An append that returned without error is durable: its frame was synced, a
// checkpoint that covers it was signed and handed to a second path. A frame
// that is changed, removed, inserted or moved afterwards is found at the next
// start and by [Fsck], and any change of public material by [VerifyDir]. A log
// that is shorter than, or differs from, a checkpoint of the second path is not
// opened: [Open] answers a [*SealedError]. After the first failing write or
// sync nothing more is accepted.
//
// # What is not protected
//
// Statements and private records lie in the segment files as they were given: seal
// what is secret before it comes here. Whoever owns the signing key, the log and the second path can
// rewrite all three; only a checkpoint kept by a witness shows that. A power
// failure may take the second path back by up to one second of checkpoints
// (never the log itself). Sizes and times of frames are not hidden.
package audit
