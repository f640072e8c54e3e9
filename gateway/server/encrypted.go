package server

import (
	"path/filepath"

	"github.com/yumen-project/yumen/compute/he"
	"github.com/yumen-project/yumen/gateway/job"
	"github.com/yumen-project/yumen/gateway/rpc"
)

// openEncrypted takes up encrypted aggregation. A sealed gateway has none.
func (s *Server) openEncrypted() error {
	var sets []*he.Parameters
	for _, l := range []he.Literal{he.AddLiteral(), he.MulLiteral()} {
		p, err := he.NewParameters(l)
		if err != nil {
			return err
		}
		sets = append(sets, p)
	}
	var err error
	s.encrypted, err = job.OpenEncrypted(s.runner, job.EncryptedOptions{
		Dir: filepath.Join(s.config.DataDir, "encrypted"), Parameters: sets,
		OnState: func(state string) { s.metrics.queries.WithLabelValues(state).Inc() },
	})
	return err
}

func (s *Server) closeEncrypted() error {
	if s.encrypted == nil {
		return nil
	}
	return s.encrypted.Close()
}

// registerEncrypted serves encrypted aggregation; while it is sealed the service is not there.
func (s *Server) registerEncrypted() {
	if s.encrypted != nil {
		rpc.RegisterEncrypted(s.grpc, s.encrypted, s.logger)
	}
}
