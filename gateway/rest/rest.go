// Package rest serves the same services as package rpc over HTTP and JSON, generated from the same
// proto. Enumerations travel as numbers: every answer code has two digits, so every answer has one length.
package rest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/protobuf/encoding/protojson"

	apiv1 "github.com/yumen-project/yumen/gateway/api/v1"
	"github.com/yumen-project/yumen/gateway/job/spec"
)

// MaxBody bounds a request body.
const MaxBody = 16 << 20

// Services is what REST serves; the servers of package rpc fit.
type Services struct {
	Verification apiv1.VerificationServer
	Tables       apiv1.TablesServer
	Jobs         apiv1.JobsServer
	Governance   apiv1.GovernanceServer
	Audit        apiv1.AuditServer
}

// New returns the handler of /v1/. Who calls is already in the request's context.
func New(ctx context.Context, s Services) (http.Handler, error) {
	mux := runtime.NewServeMux(
		runtime.WithMarshalerOption(runtime.MIMEWildcard, quiet{&runtime.JSONPb{
			MarshalOptions:   protojson.MarshalOptions{UseEnumNumbers: true, EmitUnpopulated: true, UseProtoNames: true},
			UnmarshalOptions: protojson.UnmarshalOptions{},
		}}),
		runtime.WithIncomingHeaderMatcher(func(string) (string, bool) { return "", false }),
	)
	for _, register := range []func() error{
		func() error { return apiv1.RegisterVerificationHandlerServer(ctx, mux, s.Verification) },
		func() error { return apiv1.RegisterTablesHandlerServer(ctx, mux, s.Tables) },
		func() error { return apiv1.RegisterJobsHandlerServer(ctx, mux, s.Jobs) },
		func() error { return apiv1.RegisterGovernanceHandlerServer(ctx, mux, s.Governance) },
		func() error { return apiv1.RegisterAuditHandlerServer(ctx, mux, s.Audit) },
	} {
		if err := register(); err != nil {
			return nil, err
		}
	}
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		req.Body = &objects{ReadCloser: http.MaxBytesReader(w, req.Body, MaxBody)}
		mux.ServeHTTP(w, req)
	}), nil
}

// maxObjects bounds the objects of a body: a full batch and its frame. A message costs its reader far
// more than the two bytes of an empty object.
const maxObjects = spec.MaxBatch + 16

// objects is a body that ends with an error once it has opened too many objects. A brace within a text
// counts as well; no name or number has one.
type objects struct {
	io.ReadCloser
	seen int
}

func (o *objects) Read(p []byte) (int, error) {
	n, err := o.ReadCloser.Read(p)
	if o.seen += bytes.Count(p[:n], []byte{'{'}); o.seen > maxObjects {
		return 0, errBody
	}
	return n, err
}

var errBody = errors.New("body: not the JSON of this message")

// quiet keeps what could not be read out of the error: the decoder's own text repeats values.
type quiet struct{ *runtime.JSONPb }

func (q quiet) NewDecoder(r io.Reader) runtime.Decoder {
	d := q.JSONPb.NewDecoder(r)
	return runtime.DecoderFunc(func(v any) error {
		err := d.Decode(v)
		if err != nil && !errors.Is(err, io.EOF) {
			return errBody
		}
		return err
	})
}
