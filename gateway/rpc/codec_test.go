package rpc

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/proto"

	apiv1 "github.com/yumen-project/yumen/gateway/api/v1"
	"github.com/yumen-project/yumen/gateway/job/spec"
)

func decode(t testing.TB, b []byte, v proto.Message) error {
	c, err := Codec()
	require.NoError(t, err)
	return c.Unmarshal(mem.BufferSlice{mem.SliceBuffer(b)}, v)
}

// A message full of empty subjects, eight million in 16 MB, is cut before it is decoded, and all else in it
// stays, so that the rule for batches refuses it.
func TestBatchOfEmptySubjectsIsCutBeforeItIsDecoded(t *testing.T) {
	head, err := proto.Marshal(&apiv1.VerifyBatchRequest{Scenario: "s", Template: "t", Threshold: "x"})
	require.NoError(t, err)
	tail, err := proto.Marshal(&apiv1.VerifyBatchRequest{IdempotencyKey: "k", KeyTimeMs: 7})
	require.NoError(t, err)
	bomb := append(append(bytes.Clone(head), bytes.Repeat([]byte{3<<3 | 2, 0}, 8<<20)...), tail...)
	var got apiv1.VerifyBatchRequest
	allocated := testing.AllocsPerRun(1, func() {
		got.Reset()
		require.NoError(t, decode(t, bomb, &got))
	})
	require.Less(t, allocated, float64(2*spec.MaxBatch))
	require.Len(t, got.GetSubjects(), spec.MaxBatch+1)
	require.Equal(t, "s t x k", got.GetScenario()+" "+got.GetTemplate()+" "+got.GetThreshold()+" "+got.GetIdempotencyKey())
	require.EqualValues(t, 7, got.GetKeyTimeMs())

	full := &apiv1.VerifyBatchRequest{Scenario: "s"}
	for range spec.MaxBatch {
		full.Subjects = append(full.Subjects, &apiv1.Subject{Number: "110101199001011237"})
	}
	b, err := proto.Marshal(full)
	require.NoError(t, err)
	require.NoError(t, decode(t, b, &got))
	require.True(t, proto.Equal(full, &got), "a full batch is untouched")
	require.Error(t, decode(t, append(b, 3<<3|2), &got), "cut off")
	require.Error(t, decode(t, append(b, 0xff), &got))
}

// What is small by its nature is not decoded when it is large.
func TestLargeQuestionsAreNotDecoded(t *testing.T) {
	b, err := proto.Marshal(&apiv1.VerifyRequest{Scenario: "s", Template: string(make([]byte, maxSmall))})
	require.NoError(t, err)
	for _, v := range []interface {
		proto.Message
		GetScenario() string
	}{&apiv1.VerifyRequest{}, &apiv1.QueryRequest{}, &apiv1.SubmitRequest{}} {
		require.NoError(t, decode(t, b, v))
		require.Greater(t, len(v.GetScenario()), spec.MaxID, "refused as malformed")
		require.Less(t, proto.Size(v), 100)
	}
	require.NoError(t, decode(t, b, &apiv1.ApplyRequest{}))
	b, err = proto.Marshal(&apiv1.VerifyRequest{Scenario: "s"})
	require.NoError(t, err)
	require.NoError(t, decode(t, b, &apiv1.VerifyRequest{}))
}

func FuzzCutBatch(f *testing.F) {
	b, err := proto.Marshal(&apiv1.VerifyBatchRequest{Scenario: "s", Subjects: []*apiv1.Subject{{Number: "n"}, {}}})
	require.NoError(f, err)
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		out, err := cutBatch(bytes.Clone(b))
		if err == nil {
			require.Equal(t, b, append([]byte{}, out...), "nothing is cut from a small one")
			return
		}
		require.Error(t, proto.Unmarshal(b, &apiv1.VerifyBatchRequest{}))
	})
}
