package rpc

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"time"

	"google.golang.org/grpc"

	apiv1 "github.com/yumen-project/yumen/gateway/api/v1"
	"github.com/yumen-project/yumen/gateway/job/spec"
	"github.com/yumen-project/yumen/gateway/release"
)

// exchange is where the parties of encrypted aggregates meet.
type exchange interface {
	Put(ctx context.Context, party string, kind uint8, object []byte) ([32]byte, error)
	Get(ctx context.Context, party string, kind uint8, hash [32]byte) ([]byte, error)
	Poll(ctx context.Context, party string, cursor uint64, wait time.Duration) ([]spec.ObjectEvent, uint64, error)
	Upload(party, dataset, version, lane string, first []byte) (spec.LeafUpload, error)
	Held(party, dataset, version, lane string) ([]spec.LeafRange, error)
	Leaf(party, dataset, version, lane string, batch uint32, buf []byte) ([]byte, error)
	Result(ctx context.Context, party string, query [32]byte) (*spec.QueryView, *release.Release, error)
}

// RegisterEncrypted puts the service of encrypted aggregates on a gRPC server. It has no REST form: what it
// carries are binary objects between programs.
func RegisterEncrypted(r grpc.ServiceRegistrar, x exchange, logger *slog.Logger) {
	apiv1.RegisterEncryptedServer(r, &encryptedService{exchange: x, errors: errorMapper{logger: logger}})
}

type encryptedService struct {
	apiv1.UnimplementedEncryptedServer
	exchange exchange
	errors   errorMapper
}

func (s *encryptedService) Put(ctx context.Context, in *apiv1.PutRequest) (*apiv1.PutResponse, error) {
	party, kind, err := objectOf(ctx, in.GetKind())
	if err != nil {
		return nil, s.status(ctx, err)
	}
	hash, err := s.exchange.Put(ctx, party, kind, in.GetObject())
	if err != nil {
		return nil, s.status(ctx, err)
	}
	return &apiv1.PutResponse{Hash: hash[:]}, nil
}

func (s *encryptedService) Get(ctx context.Context, in *apiv1.GetRequest) (*apiv1.GetResponse, error) {
	party, kind, err := objectOf(ctx, in.GetKind())
	if err != nil {
		return nil, s.status(ctx, err)
	}
	hash, err := hashField("hash", in.GetHash())
	if err != nil {
		return nil, s.status(ctx, err)
	}
	object, err := s.exchange.Get(ctx, party, kind, hash)
	if err != nil {
		return nil, s.status(ctx, err)
	}
	return &apiv1.GetResponse{Object: object}, nil
}

func (s *encryptedService) Poll(ctx context.Context, in *apiv1.PollRequest) (*apiv1.PollResponse, error) {
	party, err := caller(ctx)
	if err != nil {
		return nil, s.status(ctx, err)
	}
	events, next, err := s.exchange.Poll(ctx, party, in.GetCursor(), time.Duration(in.GetWaitMs())*time.Millisecond)
	if err != nil {
		return nil, s.status(ctx, err)
	}
	return pollMessage(events, next), nil
}

func (s *encryptedService) PutLeaves(stream grpc.ClientStreamingServer[apiv1.PutLeavesRequest, apiv1.PutLeavesResponse]) error {
	party, err := caller(stream.Context())
	if err != nil {
		return s.status(stream.Context(), err)
	}
	stored, err := s.take(party, stream)
	if err != nil {
		return s.status(stream.Context(), err)
	}
	return stream.SendAndClose(&apiv1.PutLeavesResponse{Stored: stored})
}

// take reads one leaf after another; what came before an error is kept.
func (s *encryptedService) take(party string, stream grpc.ClientStreamingServer[apiv1.PutLeavesRequest, apiv1.PutLeavesResponse]) (stored uint64, err error) {
	var lane laneOf
	var to spec.LeafUpload
	defer func() {
		if to != nil {
			err = errors.Join(err, to.Sync())
		}
	}()
	for {
		in, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return stored, nil
		}
		if err != nil {
			return stored, err
		}
		this, err := laneField(in.GetDataset(), in.GetVersion(), in.GetLane())
		if err != nil {
			return stored, err
		}
		if to == nil {
			lane = this
			if to, err = s.exchange.Upload(party, lane.dataset, lane.version, lane.lane, in.GetLeaf()); err != nil {
				return stored, err
			}
		}
		if this != lane {
			return stored, &invalid{"lane", "one lane in a stream"}
		}
		if err := to.Put(in.GetBatch(), in.GetLeaf()); err != nil {
			return stored, err
		}
		stored++
	}
}

func (s *encryptedService) Leaves(ctx context.Context, in *apiv1.LeavesRequest) (*apiv1.LeavesResponse, error) {
	party, err := caller(ctx)
	if err != nil {
		return nil, s.status(ctx, err)
	}
	l, err := laneField(in.GetDataset(), in.GetVersion(), in.GetLane())
	if err != nil {
		return nil, s.status(ctx, err)
	}
	held, err := s.exchange.Held(party, l.dataset, l.version, l.lane)
	if err != nil {
		return nil, s.status(ctx, err)
	}
	return heldMessage(held), nil
}

func (s *encryptedService) GetLeaves(in *apiv1.GetLeavesRequest, stream grpc.ServerStreamingServer[apiv1.GetLeavesResponse]) error {
	ctx := stream.Context()
	party, err := caller(ctx)
	if err != nil {
		return s.status(ctx, err)
	}
	l, err := laneField(in.GetDataset(), in.GetVersion(), in.GetLane())
	if err == nil && (in.GetCount() > spec.MaxLeaves || in.GetFirst() > spec.MaxLeaves) {
		err = &invalid{"count", "too many leaves"}
	}
	if err != nil {
		return s.status(ctx, err)
	}
	for batch := in.GetFirst(); batch-in.GetFirst() < in.GetCount(); batch++ {
		// Each leaf has memory of its own: what was sent may still be on its way.
		leaf, err := s.exchange.Leaf(party, l.dataset, l.version, l.lane, batch, nil)
		if err != nil {
			return s.status(ctx, err)
		}
		if err := stream.Send(&apiv1.GetLeavesResponse{Batch: batch, Leaf: leaf}); err != nil {
			return err
		}
	}
	return nil
}

func (s *encryptedService) Result(ctx context.Context, in *apiv1.ResultRequest) (*apiv1.ResultResponse, error) {
	party, err := caller(ctx)
	if err != nil {
		return nil, s.status(ctx, err)
	}
	query, err := hashField("query", in.GetQuery())
	if err != nil {
		return nil, s.status(ctx, err)
	}
	view, rel, err := s.exchange.Result(ctx, party, query)
	if err != nil {
		return nil, s.status(ctx, err)
	}
	out, err := queryMessage(view, rel)
	if err != nil {
		return nil, s.status(ctx, err)
	}
	return out, nil
}
