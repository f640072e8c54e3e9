package rpc

import (
	"context"
	"errors"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	apiv1 "github.com/yumen-project/yumen/gateway/api/v1"
	"github.com/yumen-project/yumen/gateway/governance"
	"github.com/yumen-project/yumen/gateway/job/spec"
	"github.com/yumen-project/yumen/gateway/release"
)

// maxLaneName bounds names of versions and lanes, in bytes.
const maxLaneName = 128

type laneOf struct{ dataset, version, lane string }

func laneField(dataset, version, lane string) (laneOf, error) {
	return laneOf{dataset, version, lane}, within(bound{"dataset", dataset, spec.MaxID}, bound{"version", version, maxLaneName}, bound{"lane", lane, maxLaneName})
}

func hashField(name string, b []byte) ([32]byte, error) {
	if len(b) != 32 {
		return [32]byte{}, &invalid{name, "32 bytes"}
	}
	return [32]byte(b), nil
}

func objectOf(ctx context.Context, kind apiv1.ObjectKind) (string, uint8, error) {
	party, err := caller(ctx)
	if err != nil {
		return "", 0, err
	}
	if _, ok := apiv1.ObjectKind_name[int32(kind)]; !ok || kind == apiv1.ObjectKind_OBJECT_KIND_UNSPECIFIED {
		return "", 0, &invalid{"kind", "unknown"}
	}
	return party, uint8(kind), nil
}

func pollMessage(events []spec.ObjectEvent, next uint64) *apiv1.PollResponse {
	out := &apiv1.PollResponse{Cursor: next}
	for _, e := range events {
		out.Events = append(out.Events, &apiv1.Event{
			Cursor: e.Cursor, Kind: apiv1.ObjectKind(e.Kind), Hash: e.Hash[:], Thread: e.Thread[:], Index: e.Index, Released: e.Released,
		})
	}
	return out
}

func heldMessage(held []spec.LeafRange) *apiv1.LeavesResponse {
	out := &apiv1.LeavesResponse{}
	for _, h := range held[:min(len(held), spec.MaxHeld)] {
		out.Held = append(out.Held, h.First, h.Count)
	}
	return out
}

// queryMessage gives the receipt to all who may follow the query; what opens its commitments, and the
// answers, to its requester alone.
func queryMessage(v *spec.QueryView, rel *release.Release) (*apiv1.ResultResponse, error) {
	out := &apiv1.ResultResponse{State: v.State, Rule: v.Rule, Approvals: uint32(v.Approvals)}
	if rel == nil {
		return out, nil
	}
	opened, err := rel.Open()
	if err != nil {
		return nil, err
	}
	out.Receipt = &apiv1.Receipt{Receipt: opened.Receipt}
	if v.Mine {
		out.Receipt.Result = opened.Result
		for _, a := range v.Answers {
			out.Answers = append(out.Answers, a[:])
		}
	}
	return out, nil
}

// status maps what concerns objects; the rest is as everywhere.
func (s *encryptedService) status(ctx context.Context, err error) error {
	var refusal *governance.Refusal
	var denied *release.Denied
	var problem *spec.ObjectProblem
	named := errors.As(err, &problem)
	switch {
	case errors.As(err, &denied):
		return explained(refused(denied.Refusal, denied.Entry), problem)
	case errors.As(err, &refusal):
		return explained(refused(refusal, -1), problem)
	case named:
		return status.Error(codes.InvalidArgument, problem.Why)
	case errors.Is(err, spec.ErrNoObject):
		return status.Error(codes.NotFound, spec.ErrNoObject.Error())
	case errors.Is(err, spec.ErrObjectTaken):
		return status.Error(codes.AlreadyExists, spec.ErrObjectTaken.Error())
	case errors.Is(err, spec.ErrObjectFull):
		return status.Error(codes.ResourceExhausted, spec.ErrObjectFull.Error())
	case errors.Is(err, spec.ErrObjectEarly):
		return status.Error(codes.FailedPrecondition, spec.ErrObjectEarly.Error())
	}
	if _, ok := status.FromError(err); ok {
		return err // of the stream itself
	}
	return s.errors.status(ctx, err)
}

// explained adds to a refusal which lane, section or step it is about.
func explained(refused error, why *spec.ObjectProblem) error {
	if why == nil || why.Why == "" {
		return refused
	}
	st := status.Convert(refused)
	p := st.Proto()
	p.Message += " (" + why.Why + ")"
	return status.FromProto(p).Err()
}
