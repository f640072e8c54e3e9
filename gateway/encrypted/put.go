package encrypted

import (
	"context"
	"fmt"

	"github.com/emmansun/gmsm/sm3"

	"github.com/yumen-project/yumen/compute/he/plan"
	"github.com/yumen-project/yumen/gateway/keyring"
)

// Put verifies an object that the party hands in, and keeps it. The same object twice is
// one. Queries go through Compile and Accept; plans and openings are the gateway's own.
// Errors: ErrMalformed, ErrNone, ErrTaken, ErrFull, ErrState, *Refused.
func (r *Room) Put(ctx context.Context, party string, k Kind, object []byte) (Hash, error) {
	if len(object) == 0 || len(object) > MaxObject {
		return Hash{}, ErrMalformed
	}
	var manifest *plan.Manifest
	if k == Manifest { // large: read before anybody else has to wait
		var err error
		if manifest, err = r.readManifest(party, object); err != nil {
			return Hash{}, err
		}
	}
	r.putting.Lock()
	defer r.putting.Unlock()
	switch k {
	case Proposal:
		return r.putProposal(ctx, party, object)
	case Ceremony:
		return r.putMessage(party, object)
	case Certificate:
		return r.putCertificate(ctx, party, object)
	case PublicKey:
		return r.putKeys(ctx, party, object)
	case Manifest:
		return r.putManifest(ctx, party, manifest, object)
	case Approval:
		return r.putApproval(ctx, party, object)
	case Objection:
		return r.putObjection(ctx, party, object)
	case Answer:
		return r.putAnswer(ctx, party, object)
	}
	return Hash{}, ErrMalformed
}

// known says that the object was accepted before. Its bytes are written again where the store lost
// them: whoever has the object can mend the store.
func (r *Room) known(k Kind, hash Hash, object []byte) (bool, error) {
	r.mu.RLock()
	file, ok := r.state.files[objectKey{k, hash}]
	r.mu.RUnlock()
	if !ok || Hash(sm3.Sum(object)) != file {
		return ok, nil
	}
	return true, r.objects.put(k, hash, object)
}

// recordOf is the record of an object with its bytes.
func recordOf(k Kind, hash Hash, party string, thread Hash, object []byte) *Record {
	return &Record{Kind: k, Hash: hash, File: sm3.Sum(object), Party: party, Thread: thread}
}

// signedBy verifies a signature under a party's agent key of the domain file in force.
func (r *Room) signedBy(party string, msg, sig []byte) bool {
	return r.verify(party, keyring.Agent, msg, sig)
}

func (r *Room) verify(party string, purpose keyring.Purpose, msg, sig []byte) bool {
	p := partyOf(r.o.Policy().Domain(), party)
	if p == nil {
		return false
	}
	text := p.AgentKey
	if purpose == keyring.Request {
		text = p.RequestKey
	}
	key, err := keyring.ParsePublicKey(text)
	return err == nil && key.Verify(purpose, msg, sig)
}

// fingerprint of a key of the domain file; zero for none.
func fingerprint(text string) Hash {
	key, err := keyring.ParsePublicKey(text)
	if err != nil {
		return Hash{}
	}
	return key.ID()
}

// malformed keeps the parser's word: it names a field and never a value.
func malformed(err error) error { return fmt.Errorf("%w: %w", ErrMalformed, err) }

// store writes the object of a record.
func (r *Room) store(rec *Record, object []byte) error {
	return r.objects.put(rec.Kind, rec.Hash, object)
}
