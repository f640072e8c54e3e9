// Package client is the Go SDK of the gateway: it asks over gRPC, and checks the receipt of every
// answer before it hands the answer on.
//
// What is checked: that the receipt's commitments open to this answer and this question, that the
// entry is in the log under a checkpoint of the trusted key. What is not: whether the gateway told
// the truth about the data.
package client

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/status"

	apiv1 "github.com/yumen-project/yumen/gateway/api/v1"
	"github.com/yumen-project/yumen/gateway/receipt"
)

// Options of a client.
type Options struct {
	Address string
	TLS     *tls.Config
	// Token is a bearer token; empty where the TLS configuration has a client certificate.
	Token string
	// Trust, if set, is what every receipt is verified against before its answer is returned.
	Trust *receipt.TrustSet
}

// Client asks one gateway as one party. It is safe for concurrent use.
type Client struct {
	conn  *grpc.ClientConn
	trust *receipt.TrustSet

	Verification apiv1.VerificationClient
	Tables       apiv1.TablesClient
	Jobs         apiv1.JobsClient
	Governance   apiv1.GovernanceClient
	Audit        apiv1.AuditClient
	Encrypted    apiv1.EncryptedClient
}

// ErrReceipt: the answer's receipt does not hold. Do not use the answer; tell the authority.
var ErrReceipt = errors.New("client: receipt does not hold")

// maxMessage bounds a response; the result file of a full batch fits.
const maxMessage = 64 << 20

// New makes a client. It connects with the first call.
func New(o Options) (*Client, error) {
	if o.TLS == nil || o.TLS.MinVersion < tls.VersionTLS13 {
		return nil, errors.New("client: TLS 1.3 needed")
	}
	options := []grpc.DialOption{
		grpc.WithTransportCredentials(credentials.NewTLS(o.TLS)),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxMessage)),
	}
	if o.Token != "" {
		options = append(options, grpc.WithPerRPCCredentials(bearer(o.Token)))
	}
	conn, err := grpc.NewClient(o.Address, options...)
	if err != nil {
		return nil, fmt.Errorf("client: %w", err)
	}
	return &Client{
		conn: conn, trust: o.Trust, Verification: apiv1.NewVerificationClient(conn), Tables: apiv1.NewTablesClient(conn),
		Jobs: apiv1.NewJobsClient(conn), Governance: apiv1.NewGovernanceClient(conn), Audit: apiv1.NewAuditClient(conn), Encrypted: apiv1.NewEncryptedClient(conn),
	}, nil
}

// Close ends the connection.
func (c *Client) Close() error { return c.conn.Close() }

type bearer string

func (b bearer) GetRequestMetadata(context.Context, ...string) (map[string]string, error) {
	return map[string]string{"authorization": "Bearer " + string(b)}, nil
}

func (bearer) RequireTransportSecurity() bool { return true }

// NewKey makes an idempotency key. Use the same one to repeat a question whose answer was lost.
func NewKey() (key string, madeMS int64, err error) {
	var b [16]byte
	if _, err := rand.Read(b[:]); err != nil {
		return "", 0, fmt.Errorf("draw idempotency key: %w", err)
	}
	return hex.EncodeToString(b[:]), time.Now().UnixMilli(), nil
}

// Verify asks one question. A request without a key gets one.
func (c *Client) Verify(ctx context.Context, in *apiv1.VerifyRequest) (*apiv1.VerifyResponse, error) {
	if err := ensureKey(&in.IdempotencyKey, &in.KeyTimeMs); err != nil {
		return nil, err
	}
	out, err := c.Verification.Verify(ctx, in)
	if err != nil {
		return nil, err
	}
	if err := c.check(out.GetReceipt(), about{in.GetScenario(), in.GetTemplate(), in.GetConsent(), receipt.KindVerify}, []*apiv1.Subject{in.GetSubject()}, []apiv1.Answer{out.GetAnswer()}); err != nil {
		return nil, err
	}
	return out, nil
}

// VerifyBatch asks about many subjects under one receipt.
func (c *Client) VerifyBatch(ctx context.Context, in *apiv1.VerifyBatchRequest) (*apiv1.VerifyBatchResponse, error) {
	if err := ensureKey(&in.IdempotencyKey, &in.KeyTimeMs); err != nil {
		return nil, err
	}
	out, err := c.Verification.VerifyBatch(ctx, in)
	if err != nil {
		return nil, err
	}
	if err := c.check(out.GetReceipt(), about{in.GetScenario(), in.GetTemplate(), "", receipt.KindBatch}, in.GetSubjects(), out.GetAnswers()); err != nil {
		return nil, err
	}
	return out, nil
}

// Query asks for a registered table.
func (c *Client) Query(ctx context.Context, in *apiv1.QueryRequest) (*apiv1.QueryResponse, error) {
	if err := ensureKey(&in.IdempotencyKey, &in.KeyTimeMs); err != nil {
		return nil, err
	}
	out, err := c.Tables.Query(ctx, in)
	if err != nil {
		return nil, err
	}
	if err := c.checkTable(in, out); err != nil {
		return nil, err
	}
	return out, nil
}

func ensureKey(key *string, made *int64) (err error) {
	if *key == "" {
		*key, *made, err = NewKey()
	}
	return err
}

// WaitJob polls a job until it ends or ctx does.
func (c *Client) WaitJob(ctx context.Context, id string) (*apiv1.Job, error) {
	for {
		job, err := c.Jobs.Get(ctx, &apiv1.GetJobRequest{Id: id})
		if err != nil || job.GetState() >= apiv1.JobState_JOB_STATE_DONE {
			return job, err
		}
		select {
		case <-time.After(50 * time.Millisecond):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// RefusalOf returns the refusal in an error of a call, or nil.
func RefusalOf(err error) *apiv1.Refusal {
	for _, d := range status.Convert(err).Details() {
		if r, ok := d.(*apiv1.Refusal); ok {
			return r
		}
	}
	return nil
}
