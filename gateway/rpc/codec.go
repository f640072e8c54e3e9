package rpc

import (
	"errors"
	"fmt"
	"strings"

	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/encoding/protowire"

	apiv1 "github.com/yumen-project/yumen/gateway/api/v1"
	"github.com/yumen-project/yumen/gateway/job/spec"
)

// maxSmall bounds questions about one subject or table, and jobs: none of them needs a tenth of it.
const maxSmall = 64 << 10

// subjects is the field of VerifyBatchRequest that holds the subjects.
const subjects protowire.Number = 3

// tooLong stands for the fields of a message that is not decoded: the bound on ids refuses it as malformed.
// An error of the codec would be an internal one to the caller.
func tooLong() string { return strings.Repeat("-", spec.MaxID+1) }

// Codec is the protobuf codec with bounds before anything is decoded: an empty subject takes two bytes on
// the wire and some hundred in memory. Of a batch with too many subjects the first spec.MaxBatch+1 are
// decoded, so that it is refused by the rule for batches.
func Codec() (encoding.CodecV2, error) {
	c := encoding.GetCodecV2("proto")
	if c == nil {
		return nil, errors.New("rpc: no protobuf codec")
	}
	return codec{c}, nil
}

type codec struct{ encoding.CodecV2 }

// Unmarshal decodes data into v within the bounds of v's type.
func (c codec) Unmarshal(data mem.BufferSlice, v any) error {
	small := data.Len() <= maxSmall
	switch v := v.(type) {
	case *apiv1.VerifyBatchRequest:
		if data.Len() <= 2*spec.MaxBatch {
			break
		}
		cut, err := cutBatch(data.Materialize())
		if err != nil {
			return err
		}
		return c.CodecV2.Unmarshal(mem.BufferSlice{mem.SliceBuffer(cut)}, v)
	case *apiv1.VerifyRequest:
		if !small {
			v.Scenario = tooLong()
			return nil
		}
	case *apiv1.QueryRequest:
		if !small {
			v.Scenario = tooLong()
			return nil
		}
	case *apiv1.SubmitRequest:
		if !small {
			v.Scenario = tooLong()
			return nil
		}
	}
	return c.CodecV2.Unmarshal(data, v)
}

// cutBatch keeps all fields of a batch, of the subjects no more than one beyond the bound.
func cutBatch(b []byte) ([]byte, error) {
	out, n := b[:0], 0
	for rest := b; len(rest) > 0; {
		number, kind, head := protowire.ConsumeTag(rest)
		if head < 0 {
			return nil, fmt.Errorf("batch: %w", protowire.ParseError(head))
		}
		size := protowire.ConsumeFieldValue(number, kind, rest[head:])
		if size < 0 {
			return nil, fmt.Errorf("batch: %w", protowire.ParseError(size))
		}
		if number == subjects {
			n++
		}
		if number != subjects || n <= spec.MaxBatch+1 {
			out = append(out, rest[:head+size]...)
		}
		rest = rest[head+size:]
	}
	return out, nil
}
