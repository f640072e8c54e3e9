package agent

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/yumen-project/yumen/compute/he/ceremony"
	"github.com/yumen-project/yumen/compute/he/plan"
	"github.com/yumen-project/yumen/gateway/client/encrypted"
	"github.com/yumen-project/yumen/gateway/encrypted/wire"
)

func (a *Agent) path(parts ...string) string {
	return filepath.Join(append([]string{a.o.Dir}, parts...)...)
}

// cache keeps a public object on the disk, in clear. Whoever reads it holds it
// against its name.
func (a *Agent) cache(kind string, hash Hash, b []byte) error {
	if err := os.MkdirAll(a.path("objects"), 0o700); err != nil {
		return fmt.Errorf("%w: %w", errSave, bare(err))
	}
	if err := writeFile(a.path("objects", kind+"-"+hash.String()), b); err != nil {
		return fmt.Errorf("%w: %w", errSave, err)
	}
	return nil
}

func (a *Agent) cached(kind string, hash Hash) ([]byte, error) {
	b, err := readFile(a.path("objects", kind+"-"+hash.String()), maxRecord)
	if err != nil {
		return nil, errors.Join(errCache, err)
	}
	return b, nil
}

// errCache: a public object is not on the disk; get it from the gateway.
var errCache = errors.New("agent: object is not at hand")

// object is a public object that knows its own name.
type object interface {
	Hash() ([32]byte, error)
	Bytes() ([]byte, error)
}

// at gives an object from the disk, or from the gateway and then keeps it.
func at[T object](a *Agent, kind string, hash Hash, parse func([]byte) (T, error), get func() (T, error)) (T, error) {
	if b, err := a.cached(kind, hash); err == nil {
		if o, err := parse(b); err == nil {
			if own, err := o.Hash(); err == nil && own == hash {
				return o, nil
			}
		}
	}
	o, err := get()
	if err != nil {
		return o, err
	}
	b, err := o.Bytes()
	if err != nil {
		return o, err
	}
	return o, a.cache(kind, hash, b)
}

func (a *Agent) query(ctx context.Context, hash Hash) (*plan.Query, error) {
	return at(a, "query", hash, plan.ParseQuery, func() (*plan.Query, error) { return a.o.Gateway.Query(ctx, hash) })
}

func (a *Agent) plan(ctx context.Context, hash Hash) (*plan.Plan, error) {
	return at(a, "plan", hash, plan.ParsePlan, func() (*plan.Plan, error) { return a.o.Gateway.Plan(ctx, hash) })
}

// manifest gives a manifest that its provider signed.
func (a *Agent) manifest(ctx context.Context, hash Hash) (*plan.Manifest, error) {
	m, err := at(a, "manifest", hash, plan.ParseManifest, func() (*plan.Manifest, error) { return a.o.Gateway.Manifest(ctx, hash) })
	if err != nil {
		return nil, err
	}
	return m, a.o.Parties.VerifyManifest(m)
}

// keys gives the public keys of an own certificate.
func (a *Agent) keys(ctx context.Context, c *ceremony.KeyCert) (*wire.Keys, error) {
	hash, err := c.Hash()
	if err != nil {
		return nil, err
	}
	p := a.o.Params[c.Parameters]
	if p == nil {
		return nil, fmt.Errorf("certificate: parameters: %w", encrypted.ErrTrust)
	}
	if b, err := a.cached("keys", hash); err == nil {
		if k, err := wire.ParseKeys(p, b); err == nil && encrypted.CheckKeys(p, c, k) == nil {
			return k, nil
		}
	}
	k, err := a.o.Gateway.Keys(ctx, p, c)
	if err != nil {
		return nil, err
	}
	b, err := k.Bytes(p)
	if err != nil {
		return nil, err
	}
	return k, a.cache("keys", hash, b)
}

// cert gives an own certificate and what planning needs of it.
func (a *Agent) cert(hash Hash) (*ceremony.KeyCert, plan.Cert, error) {
	note := a.book.Keys[hash]
	if note == nil {
		return nil, plan.Cert{}, fmt.Errorf("certificate: %w", encrypted.ErrTrust)
	}
	c, err := ceremony.ParseKeyCert(note.Cert)
	if err != nil {
		return nil, plan.Cert{}, fmt.Errorf("%w: certificate: %w", ErrState, err)
	}
	if err := a.o.Parties.VerifyCert(c, a.o.Params, a.o.Clock()); err != nil {
		return nil, plan.Cert{}, err
	}
	of, err := a.o.Params.PlanCert(c)
	return c, of, err
}
