package audit

import (
	"errors"
	"strconv"
)

// Media types of a witness's answers.
const (
	typeText = "text/plain; charset=utf-8"
	typeSize = "text/x.tlog.size"
)

// WitnessAnswer is what a witness says over HTTP about what Add gave: status,
// media type and body, as C2SP tlog-witness has them. It holds nothing of the
// request and nothing of the machine.
func WitnessAnswer(line []byte, err error) (status int, media string, body []byte) {
	var conflict *ConflictError
	switch {
	case err == nil:
		return 200, typeText, line
	case errors.As(err, &conflict):
		return 409, typeSize, append(strconv.AppendUint(nil, conflict.Size, 10), '\n')
	case errors.Is(err, ErrRequest):
		return 400, typeText, []byte("malformed request\n")
	case errors.Is(err, ErrUnknownLog):
		return 404, typeText, []byte("log is not watched\n")
	case errors.Is(err, ErrCheckpoint):
		return 403, typeText, []byte("checkpoint does not hold\n")
	case errors.Is(err, ErrProof):
		return 422, typeText, []byte("proof does not hold\n")
	}
	return 500, typeText, []byte("witness cannot sign\n")
}
