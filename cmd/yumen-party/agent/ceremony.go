package agent

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"

	"github.com/yumen-project/yumen/compute/he/ceremony"
	"github.com/yumen-project/yumen/compute/he/threshold"
	apiv1 "github.com/yumen-project/yumen/gateway/api/v1"
	"github.com/yumen-project/yumen/gateway/client/encrypted"
	"github.com/yumen-project/yumen/gateway/encrypted/wire"
	"github.com/yumen-project/yumen/gateway/keyring"
)

// running is a ceremony under way.
type running struct{ machine *ceremony.Machine }

// proposal begins this holder's part of a ceremony, if the authority of the trust
// file signed it and its holders have the keys of the trust file.
func (a *Agent) proposal(ctx context.Context, id Hash) error {
	if a.book.Ceremonies[id] != nil {
		return nil
	}
	p, err := a.o.Gateway.Proposal(ctx, id)
	if err != nil {
		return err
	}
	mine := false
	for _, h := range p.Terms.Holders {
		mine = mine || h.Name == a.o.Identity.Party
	}
	if !mine {
		return nil // a provider's view
	}
	text, err := p.Bytes()
	if err != nil {
		return err
	}
	note := &ceremonyNote{Proposal: text, Stage: Running}
	if err := a.acceptable(p); err != nil {
		a.log.Warn("proposal refused", slog.Any("ceremony", id.String()), slog.Any("error", err))
		note.Stage, note.Rule = Refused, err.Error()
		a.book.Ceremonies[id] = note
		return nil
	}
	m, err := ceremony.New(a.config(id, p.Terms))
	if err != nil {
		return err
	}
	a.book.Ceremonies[id] = note
	a.machines[id] = &running{machine: m}
	return a.keepAndSend(ctx, id, m, m.Sent())
}

func (a *Agent) acceptable(p *wire.Proposal) error {
	if p.Terms.Authority != a.o.Parties.Authority {
		return fmt.Errorf("proposal: authority: %w", encrypted.ErrTrust)
	}
	if err := ceremony.VerifyProposal(p.Terms, p.Signature, a.o.Parties.VerifyAgent); err != nil {
		return err
	}
	if err := a.o.Parties.CheckHolders(p.Terms.Holders); err != nil {
		return err
	}
	if p.Terms.Threshold < a.o.Parties.Threshold || p.Terms.Expiry <= a.now() || a.o.Params[p.Terms.Parameters] == nil {
		return fmt.Errorf("proposal: threshold, expiry or parameters: %w", ceremony.ErrProposal)
	}
	return nil
}

func (a *Agent) config(id Hash, p *ceremony.Proposal) ceremony.Config {
	aad := append([]byte("yumen ceremony envelope 1"), id[:]...)
	return ceremony.Config{
		Params: a.o.Params[p.Parameters], Proposal: p, Self: a.o.Identity.Party, Signer: a.o.Identity.Agent,
		Verify: a.o.Parties.VerifyAgent, Rand: a.o.Rand,
		Seal: func(to string, plain []byte) ([]byte, error) {
			party := a.o.Parties.Find(to)
			if party == nil {
				return nil, fmt.Errorf("seal to holder: %w", encrypted.ErrTrust)
			}
			return keyring.SealTo(party.Envelope, aad, plain, a.o.Rand)
		},
		Open: func(sealed []byte) ([]byte, error) { return a.o.Identity.Envelope.OpenEnvelope(aad, sealed) },
	}
}

func ceremonyName(id Hash) string { return "ceremony-" + id.String() }

// keepAndSend writes the machine's state and the book, then sends.
func (a *Agent) keepAndSend(ctx context.Context, id Hash, m *ceremony.Machine, outbox []ceremony.Message) error {
	state, err := m.State()
	if err != nil {
		return err
	}
	defer clear(state)
	if err := a.store.save(ceremonyName(id), state); err != nil {
		return fmt.Errorf("%w: %w", errSave, err)
	}
	if err := a.save(); err != nil {
		return fmt.Errorf("%w: %w", errSave, err)
	}
	return a.send(ctx, outbox)
}

func (a *Agent) send(ctx context.Context, outbox []ceremony.Message) error {
	for i := range outbox {
		b, err := outbox[i].Bytes()
		if err != nil {
			return err
		}
		_, err = a.o.Gateway.Put(ctx, apiv1.ObjectKind_OBJECT_KIND_CEREMONY, b)
		if errors.Is(err, encrypted.ErrTaken) {
			// the gateway holds another word of this holder: an older copy of the state spoke
			a.log.Error("gateway holds another message of this holder in the same place")
			a.book.Older++
			continue
		}
		if err != nil {
			a.fresh = true
			return err
		}
	}
	return nil
}

// machine gives a ceremony under way, from memory or disk; fs.ErrNotExist if it has
// no state.
func (a *Agent) machine(id Hash) (*running, error) {
	if r := a.machines[id]; r != nil {
		return r, nil
	}
	p, err := wire.ParseProposal(a.book.Ceremonies[id].Proposal)
	if err != nil {
		return nil, fmt.Errorf("%w: proposal: %w", ErrState, err)
	}
	state, err := a.store.load(ceremonyName(id))
	if err != nil {
		return nil, err
	}
	defer clear(state)
	m, err := ceremony.Resume(a.config(id, p.Terms), state)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrState, err)
	}
	a.machines[id] = &running{machine: m}
	return a.machines[id], nil
}

// again sends what was made before, and ends what was ended before its last words
// were sent.
func (a *Agent) again(ctx context.Context, id Hash, note *ceremonyNote) error {
	r, err := a.machine(id)
	if errors.Is(err, fs.ErrNotExist) {
		if note.Stage == Running {
			note.Stage, note.Rule = Aborted, "state of the ceremony is lost"
			return a.save()
		}
		return nil
	}
	if err != nil {
		return err
	}
	if err := a.send(ctx, r.machine.Sent()); err != nil {
		return err
	}
	if note.Stage == Running {
		return a.step(ctx, id, nil) // the last step before the end may have finished it
	}
	return a.close(ctx, id, note)
}

// close publishes what a finished ceremony made and forgets its secrets.
func (a *Agent) close(ctx context.Context, id Hash, note *ceremonyNote) error {
	delete(a.machines, id)
	if note.Stage == Done {
		if err := a.publish(ctx, note.Cert, a.book.Keys[note.Cert]); err != nil {
			return err
		}
	}
	return a.store.remove(ceremonyName(id))
}

// step gives messages to a ceremony, writes what came of it, then sends.
func (a *Agent) step(ctx context.Context, id Hash, inbox []ceremony.Message) error {
	r, err := a.machine(id)
	if err != nil {
		return err
	}
	out, done, err := r.machine.Step(inbox)
	for _, rejected := range r.machine.Rejected() {
		a.log.Warn("ceremony message not taken", slog.Any("ceremony", id.String()), slog.Any("reason", rejected.Reason))
	}
	var abort *ceremony.AbortError
	if err != nil && !errors.As(err, &abort) {
		return err
	}
	note := a.book.Ceremonies[id]
	if abort != nil {
		note.Stage, note.Rule = Aborted, abort.Error()
		a.log.Error("ceremony ended", slog.Any("ceremony", id.String()), slog.Any("rule", abort.Rule.String()), slog.Any("parties", abort.Parties), slog.Any("proven", abort.Proven))
	}
	if done != nil {
		if err := a.finish(note, done); err != nil {
			return err
		}
	}
	if err := a.keepAndSend(ctx, id, r.machine, out); err != nil {
		return err
	}
	if note.Stage == Running {
		return nil
	}
	return a.close(ctx, id, note)
}

// finish takes certificate and share into the book; keepAndSend writes it.
func (a *Agent) finish(note *ceremonyNote, done *ceremony.Result) error {
	hash, err := done.Cert.Hash()
	if err != nil {
		return err
	}
	cert, err := done.Cert.Bytes()
	if err != nil {
		return err
	}
	limit, err := threshold.NewCap(done.Cert.Cap, done.Opened)
	if err != nil {
		return err
	}
	p := a.o.Params[done.Cert.Parameters]
	keys, err := (&wire.Keys{Public: done.Public, Relin: done.Relin}).Bytes(p)
	if err != nil {
		return err
	}
	if err := a.cache("keys", hash, keys); err != nil {
		return err
	}
	a.book.Keys[hash] = &keyNote{Cert: cert, Share: done.Share.Bytes(), Cap: limit.Bytes()}
	note.Stage, note.Cert = Done, hash
	a.log.Info("key set made", slog.Any("certificate", Hash(hash).String()), slog.Any("datasets", done.Cert.Datasets))
	return nil
}

// publish hands certificate and public keys in; any holder may, and again.
func (a *Agent) publish(ctx context.Context, hash Hash, note *keyNote) error {
	if note.Share == nil || note.Told {
		return nil
	}
	if _, err := a.o.Gateway.Put(ctx, apiv1.ObjectKind_OBJECT_KIND_CERTIFICATE, note.Cert); err != nil && !errors.Is(err, encrypted.ErrTaken) {
		return err
	}
	keys, err := a.cached("keys", hash)
	if err != nil {
		return err
	}
	if _, err := a.o.Gateway.Put(ctx, apiv1.ObjectKind_OBJECT_KIND_PUBLIC_KEY, keys); err != nil && !errors.Is(err, encrypted.ErrTaken) {
		return err
	}
	note.Told = true
	return a.save()
}

// certificate takes a certificate that others made: a provider encrypts under it.
func (a *Agent) certificate(ctx context.Context, hash Hash) error {
	if a.book.Keys[hash] != nil {
		return nil
	}
	c, err := a.o.Gateway.Cert(ctx, hash)
	if err != nil {
		return err
	}
	if err := a.o.Parties.VerifyCert(c, a.o.Params, a.o.Clock()); err != nil {
		return err
	}
	if c.Point(a.o.Identity.Party) != 0 {
		return nil // a holder's own comes out of its ceremony alone
	}
	b, err := c.Bytes()
	if err != nil {
		return err
	}
	a.book.Keys[hash] = &keyNote{Cert: b}
	return nil
}
