package keyring

import (
	"fmt"
	"log/slog"
)

// redacted is what every secret prints.
const redacted = "[key]"

// secret is raw key material. Whatever prints it prints "[key]".
type secret []byte

func (secret) String() string               { return redacted }
func (secret) GoString() string             { return redacted }
func (secret) Format(f fmt.State, _ rune)   { _, _ = f.Write([]byte(redacted)) }
func (secret) LogValue() slog.Value         { return slog.StringValue(redacted) }
func (secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// wipe overwrites the material in memory.
func (s secret) wipe() { clear(s) }
