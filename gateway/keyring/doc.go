// Package keyring keeps the gateway's keys by name and purpose, behind small
// interfaces that a hardware module can stand behind as well.
//
// Signatures are SM2 (GB/T 32918.2) with the user identity "yumen" and a
// context string of the purpose before the message, so that a signature made
// for one purpose never holds for another. Sealing is SM4-GCM (GB/T 32907,
// NIST SP 800-38D) with random nonces of 12 bytes. Message authentication is
// HMAC (RFC 2104) with SM3 (GB/T 32905) over length-prefixed parts. What is
// sealed to a party goes under a fresh SM4-GCM key, and that key under the
// party's SM2 key (GB/T 32918.4).
//
// # What is protected
//
// Keys lie in files that only their owner may read (0600 in a directory 0700),
// encrypted if a key-encryption key is given; a file that others may read is
// refused. Key types print "[key]", whatever verb, logger or encoder asks. In
// production the ring makes no keys of its own: they have to be imported. A
// destroyed key is overwritten, removed, and never made again under its name.
//
// # What is not protected
//
// Keys in use are in the memory of the process; Go does not promise to wipe
// them. Overwriting a file does not reach copies kept by the file system, by
// flash storage or by backups: use a key-encryption key, and destroy that.
package keyring
