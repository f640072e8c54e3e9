package scenario

import (
	"context"
	"errors"
	"fmt"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/yumen-project/yumen/gateway/server"
)

// ServeBare serves gRPC health checks and nothing else, with the options and the
// TLS of the gateway whose data directory is given, until ctx ends: what the
// machine can do at most. ready is told the address.
func ServeBare(ctx context.Context, gatewayDir string, ready func(address string) error) error {
	c, err := BareTLS(gatewayDir)
	if err != nil {
		return err
	}
	l, err := server.Listen("127.0.0.1:0")
	if err != nil {
		return errors.New("scenario: no address to listen on")
	}
	s := grpc.NewServer(append(server.GRPCOptions(), grpc.Creds(credentials.NewTLS(c)))...)
	healthpb.RegisterHealthServer(s, health.NewServer())
	served := make(chan error, 1)
	go func() { served <- s.Serve(l) }()
	if err := ready(l.Addr().String()); err != nil {
		s.Stop()
		return errors.Join(err, <-served)
	}
	select {
	case <-ctx.Done():
		s.GracefulStop()
		return <-served
	case err := <-served:
		return fmt.Errorf("serve health checks: %w", err)
	}
}

// CheckHealth makes one bare call.
func CheckHealth(ctx context.Context, conn *grpc.ClientConn) error {
	out, err := healthpb.NewHealthClient(conn).Check(ctx, &healthpb.HealthCheckRequest{})
	if err != nil {
		return fmt.Errorf("health check: %w", err)
	}
	if out.GetStatus() != healthpb.HealthCheckResponse_SERVING {
		return errors.New("health check: not serving")
	}
	return nil
}
