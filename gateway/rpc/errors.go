package rpc

import (
	"context"
	"errors"
	"log/slog"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	apiv1 "github.com/yumen-project/yumen/gateway/api/v1"
	"github.com/yumen-project/yumen/gateway/audit"
	"github.com/yumen-project/yumen/gateway/governance"
	"github.com/yumen-project/yumen/gateway/job/spec"
	"github.com/yumen-project/yumen/gateway/release"
)

// errorMapper turns what came from inside into a status. Anything it does not know becomes
// "internal" without text: an error from inside is for the log, not for the caller.
type errorMapper struct{ logger *slog.Logger }

func (m errorMapper) status(ctx context.Context, err error) error {
	var bad *invalid
	var denied *release.Denied
	var refusal *governance.Refusal
	var file *spec.FileProblem
	switch {
	case errors.As(err, &bad):
		return status.Error(codes.InvalidArgument, bad.Error())
	case errors.As(err, &unauthenticated{}):
		return status.Error(codes.Unauthenticated, "present a client certificate or a bearer token")
	case errors.As(err, &denied):
		return refused(denied.Refusal, denied.Entry)
	case errors.As(err, &refusal):
		return refused(refusal, -1)
	case errors.As(err, &file):
		return status.Error(codes.InvalidArgument, file.Error())
	case errors.Is(err, spec.ErrNoJob):
		return status.Error(codes.NotFound, "no such job of this party")
	case errors.Is(err, audit.ErrNoEntry):
		return status.Error(codes.NotFound, "no such log entry")
	case errors.Is(err, audit.ErrOutcomeUnknown):
		return status.Error(codes.Unknown, "outcome unknown: ask again with the same idempotency key")
	case errors.Is(err, audit.ErrNotDurable), errors.Is(err, audit.ErrClosed):
		return status.Error(codes.Unavailable, "the log is not durable, so nothing leaves")
	case errors.Is(err, context.DeadlineExceeded):
		return status.Error(codes.DeadlineExceeded, "deadline exceeded")
	case errors.Is(err, context.Canceled):
		return status.Error(codes.Canceled, "canceled")
	}
	m.logger.ErrorContext(ctx, "request failed", slog.String("error", err.Error()))
	return status.Error(codes.Internal, "internal error; the gateway's log has it")
}

// refused carries the refusal as a detail, so that rule and article reach the caller whole.
func refused(r *governance.Refusal, entry int64) error {
	st := status.New(refusalCode(r.Rule), r.Code+" "+string(r.Rule)+": "+r.ZH+" "+r.EN)
	with, err := st.WithDetails(&apiv1.Refusal{
		Code: r.Code, Rule: string(r.Rule), Zh: r.ZH, En: r.EN, Pack: r.Pack, Article: r.Article,
		Requirement: r.Requirement, Entry: proto.Int64(entry),
	})
	if err != nil {
		return st.Err()
	}
	return with.Err()
}

func refusalCode(rule governance.Rule) codes.Code {
	switch rule {
	case governance.QuotaExhausted, governance.AttemptsExhausted, governance.PrivacyExhausted, governance.ScalarsExhausted:
		return codes.ResourceExhausted
	case governance.IdempotencyConflict:
		return codes.AlreadyExists // 409 over REST
	case governance.IdempotencyExpired, governance.IdempotencyMissing, governance.SubjectMalformed,
		governance.BatchTooLarge, governance.Malformed, governance.UnknownKey, governance.DanglingReference,
		governance.DuplicateID, governance.AliasRefused:
		return codes.InvalidArgument
	case governance.Sealed, governance.NotDurable, governance.WitnessMissing, governance.PushMissing,
		governance.DatasetMissing, governance.SettingsChanged:
		return codes.Unavailable
	}
	return codes.PermissionDenied
}
