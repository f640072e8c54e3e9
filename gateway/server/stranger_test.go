package server

import (
	"context"
	"io"
	"net/http"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	reflectionpb "google.golang.org/grpc/reflection/grpc_reflection_v1"

	apiv1 "github.com/yumen-project/yumen/gateway/api/v1"
)

// read notices whether anybody takes from a body.
type read struct{ bytes atomic.Int64 }

func (r *read) Read(p []byte) (int, error) {
	if r.bytes.Load() >= 8<<20 {
		return 0, io.EOF
	}
	r.bytes.Add(int64(len(p)))
	return len(p), nil
}

// A stranger's message is turned away by its headers: decoding it would cost a hundred times its size.
func TestAStrangersMessageIsNotRead(t *testing.T) {
	r := start(t, t.TempDir())
	c := tls13()
	c.RootCAs = r.roots

	body := &read{}
	web := &http.Client{Transport: &http.Transport{TLSClientConfig: c}}
	defer web.CloseIdleConnections()
	resp, err := web.Post("https://"+r.HTTPAddr()+"/v1/verify:batch", "application/json", body)
	if err == nil {
		require.Equal(t, http.StatusUnauthorized, resp.StatusCode)
		require.NoError(t, resp.Body.Close())
	}
	require.Less(t, body.bytes.Load(), int64(8<<20))

	conn := r.dial(c)
	_, err = apiv1.NewVerificationClient(conn).VerifyBatch(context.Background(), &apiv1.VerifyBatchRequest{Subjects: make([]*apiv1.Subject, 10)})
	require.Equal(t, codes.Unauthenticated, status.Code(err))
	list, err := reflectionpb.NewServerReflectionClient(conn).ServerReflectionInfo(context.Background())
	require.NoError(t, err)
	_, err = list.Recv()
	require.Equal(t, codes.Unauthenticated, status.Code(err))
	_, err = healthpb.NewHealthClient(conn).Check(context.Background(), &healthpb.HealthCheckRequest{})
	require.NoError(t, err)
	require.NotEqual(t, codes.Unauthenticated, checkpoint(conn, bearer(r.token())))
}
