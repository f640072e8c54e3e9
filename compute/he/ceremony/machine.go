package ceremony

import (
	"bytes"
	"fmt"
	"io"
	"slices"

	"github.com/yumen-project/yumen/compute/he"
	"github.com/yumen-project/yumen/compute/he/threshold"
)

// Signer signs with the agent key of the machine's own holder.
type Signer interface {
	Sign(msg []byte) ([]byte, error)
}

// Config is what a holder brings. The caller has checked the authority's
// signature on the proposal (VerifyProposal), its expiry and, outside the
// network, the fingerprints of the other holders.
type Config struct {
	Params   *he.Parameters
	Proposal *Proposal
	Self     string // a holder's name
	Signer   Signer
	Verify   Verify // false for unknown parties; keys as fingerprinted in the proposal
	Seal     func(to string, plain []byte) ([]byte, error)
	Open     func(sealed []byte) ([]byte, error)
	Rand     io.Reader // read by New only
}

// Result is what a holder has in the end. Certificate and public keys are for
// everyone; the share is sealed away.
type Result struct {
	Cert   *KeyCert
	Share  *threshold.Share
	Public *he.PublicKey
	Relin  *he.RelinKey // nil without multiplication
	// Opened is the number of scalars that the trial opened: they count
	// against the cap.
	Opened uint64
}

// Rejection is a message that was not taken: altered on the way, or not of this
// ceremony. It names nobody, since the relay may have made it.
type Rejection struct {
	Index  int // in the inbox of the last Step
	Reason string
}

// Machine is one holder's side of one ceremony. It is not safe for concurrent use.
type Machine struct {
	cfg     Config
	id      [32]byte
	sharing threshold.Sharing
	self    int
	secret  secrets

	round  Round             // own messages of it are made, those of others awaited
	own    map[slot]*Message // made
	sent   []*Message        // made, in order
	fresh  []*Message        // made in this Step
	mine   map[slot]*Message // own messages seen coming back
	got    map[slot]*Message
	aborts map[int]*Message
	sums   map[*Message][32]byte
	log    []*Message // all that was taken, in order

	view     view
	fault    *AbortError
	hearsay  bool   // the fault is only what another says: the open round is still read
	notice   []byte // body of the abort message still to be made
	result   *Result
	rejected []Rejection
}

// view is what the messages said so far, checked.
type view struct {
	commits []commitBody
	shares  map[int][][32]byte // per known component, its members' seed shares
	crs     [32]byte
	seeds   map[int]threshold.Seed
	shadows []shadowBody
	relins  []shadowBody
	trials  map[int][]threshold.Answer
	sum     *threshold.RelinPart // of the first round
	public  *he.PublicKey
	relin   *he.RelinKey
	cert    *KeyCert
	key     [32]byte
	share   *threshold.Share
	test    *trial
}

// New draws the secrets and makes the first messages: save State, then send what
// Sent gives. After every Step likewise: save State, then send the outbox.
func New(cfg Config) (*Machine, error) {
	m, err := prepare(cfg)
	if err != nil {
		return nil, err
	}
	if err := m.draw(); err != nil {
		return nil, err
	}
	if err := m.produce(RoundCommit); err != nil {
		return nil, err
	}
	m.fresh = nil
	return m, nil
}

func prepare(cfg Config) (*Machine, error) {
	if cfg.Params == nil || cfg.Signer == nil || cfg.Verify == nil || cfg.Seal == nil || cfg.Open == nil {
		return nil, fmt.Errorf("%w: incomplete configuration", ErrProposal)
	}
	id, err := cfg.Proposal.ID()
	if err != nil {
		return nil, err
	}
	if err := cfg.Proposal.fits(cfg.Params); err != nil {
		return nil, err
	}
	sharing, err := threshold.NewSharing(len(cfg.Proposal.Holders), cfg.Proposal.Threshold)
	if err != nil {
		return nil, err
	}
	self := 1 + slices.IndexFunc(cfg.Proposal.Holders, func(h Party) bool { return h.Name == cfg.Self })
	if self == 0 {
		return nil, fmt.Errorf("%w: not a holder of it", ErrProposal)
	}
	return &Machine{
		cfg: cfg, id: id, sharing: sharing, self: self,
		own: map[slot]*Message{}, mine: map[slot]*Message{}, got: map[slot]*Message{},
		sums: map[*Message][32]byte{}, aborts: map[int]*Message{},
	}, nil
}

// Step takes messages, in any order and any number of times, and gives those to
// send. It ends with a Result, or with an *AbortError, which further messages may
// make more precise; other errors are of the caller's functions, and the same
// Step may be tried again from the saved State. After an error of either kind the
// outbox still holds what is to be sent.
func (m *Machine) Step(inbox []Message) (outbox []Message, done *Result, err error) {
	m.rejected = nil
	for i := range inbox {
		if reason := m.accept(&inbox[i]); reason != "" {
			m.rejected = append(m.rejected, Rejection{i, reason})
			continue
		}
		if err = m.flow(); err != nil {
			break
		}
	}
	for _, f := range m.fresh {
		outbox = append(outbox, *f)
	}
	m.fresh = nil
	if err == nil && m.fault != nil {
		err = m.fault
	}
	return outbox, m.result, err
}

// Rejected are the messages of the last Step's inbox that were not taken. A relay
// that alters messages shows here.
func (m *Machine) Rejected() []Rejection { return m.rejected }

// Sent are all messages made so far: to be sent after New, and again after Resume,
// for the end may have come between saving and sending.
func (m *Machine) Sent() []Message {
	var list []Message
	for _, s := range m.sent {
		list = append(list, *s)
	}
	return list
}

// Waiting says which round is open and whose messages of it are missing.
func (m *Machine) Waiting() (Round, []string) {
	var names []string
	for h := 1; h <= m.sharing.Holders(); h++ {
		for _, s := range m.awaited(m.round) {
			if s.from == h && m.got[s] == nil && !slices.Contains(names, m.name(h)) {
				names = append(names, m.name(h))
			}
		}
	}
	return m.round, names
}

func (m *Machine) name(point int) string { return m.cfg.Proposal.Holders[point-1].Name }

// accept checks a message's place and signature and stores it. It gives a reason
// if it was not taken.
func (m *Machine) accept(in *Message) string {
	switch {
	case m.result != nil || (m.fault != nil && m.fault.Proven):
		return ""
	case in.Ceremony != m.id:
		return "other ceremony"
	case in.To != ToAll && in.To != m.self:
		return "" // not for this holder
	case in.From < 1 || in.From > m.sharing.Holders() || !m.expected(in):
		return "no such slot"
	case len(in.Body) > m.bodyLimit() || len(in.Attached) > maxAttached || len(in.Sig) > maxSignature:
		return "too long"
	}
	if known := m.got[in.slot()]; known != nil && bytes.Equal(known.Body, in.Body) {
		return ""
	}
	if m.aborts[in.From] != nil && in.Round == RoundAbort || m.knownOwn(in) {
		return ""
	}
	if !m.cfg.Verify(m.name(in.From), in.SigningBytes(), in.Sig) {
		return "signature"
	}
	m.store(clone(in))
	return ""
}

func (m *Machine) store(in *Message) {
	s := in.slot()
	m.log = append(m.log, in)
	switch {
	case in.From == m.self:
		m.mine[s] = in
		if in.Round == RoundAbort {
			m.ownAbort(in)
		} else if own := m.own[s]; own != nil && !bytes.Equal(own.Body, in.Body) {
			m.twice(own, in)
		}
	case in.Round == RoundAbort:
		m.aborts[in.From] = in
	case m.got[s] != nil:
		m.twice(m.got[s], in)
	default:
		m.got[s] = in
	}
}

// knownOwn reports whether a message is one of the holder's own, seen before.
func (m *Machine) knownOwn(in *Message) bool {
	own, back := m.own[in.slot()], m.mine[in.slot()]
	return in.From == m.self && ((own != nil && bytes.Equal(own.Body, in.Body)) || back != nil)
}

// expected reports whether a slot exists, for this holder to read.
func (m *Machine) expected(in *Message) bool {
	if in.Round == RoundAbort {
		return in.To == ToAll
	}
	if in.To != ToAll {
		return in.Round == RoundNonce && in.From != m.self && in.To == m.self && len(m.common(in.From)) > 0
	}
	relin := in.Round == RoundRelinShadow || in.Round == RoundRelinReveal
	return in.Round < roundEnd && (!relin || m.cfg.Proposal.Use == UseMul)
}

// common are the components that this holder and another both know.
func (m *Machine) common(other int) []int {
	var list []int
	for _, c := range m.sharing.Of(m.self) {
		if m.sharing.Knows(other, c) {
			list = append(list, c)
		}
	}
	return list
}

// awaited are the slots of others that a round waits for.
func (m *Machine) awaited(r Round) []slot {
	var list []slot
	for h := 1; h <= m.sharing.Holders(); h++ {
		if h == m.self {
			continue
		}
		list = append(list, slot{r, h, ToAll})
		if r == RoundNonce && len(m.common(h)) > 0 {
			list = append(list, slot{r, h, m.self})
		}
	}
	return list
}

// following is the next round.
func (m *Machine) following(r Round) Round {
	if r == RoundReveal && m.cfg.Proposal.Use == UseAdd {
		return RoundTrial
	}
	return r + 1
}

// flow goes on as far as the messages allow.
func (m *Machine) flow() error {
	for (m.fault == nil || m.hearsay) && m.result == nil {
		complete := !slices.ContainsFunc(m.awaited(m.round), func(s slot) bool { return m.got[s] == nil })
		if !complete || !m.echoes() {
			break
		}
		if ok, err := m.absorb(); err != nil || !ok {
			if err != nil {
				return err
			}
			break
		}
		if m.hearsay {
			m.hearsay = false
			break
		}
		if m.result != nil {
			break
		}
		if err := m.produce(m.following(m.round)); err != nil {
			return err
		}
	}
	m.hear()
	return m.announce()
}

// bodyLimit bounds a body by the longest round, the contributions.
func (m *Machine) bodyLimit() int {
	n := m.sharing.Components() * (threshold.PublicPartSize(m.cfg.Params) + 64)
	if m.cfg.Proposal.Use == UseMul {
		n += m.sharing.Components() * threshold.RelinPartSize(m.cfg.Params)
	}
	return min(n+1<<16, maxBody)
}

func clone(in *Message) *Message {
	out := *in
	out.Body = slices.Clone(in.Body)
	out.Attached = nil
	for _, a := range in.Attached {
		out.Attached = append(out.Attached, slices.Clone(a))
	}
	out.Sig = slices.Clone(in.Sig)
	return &out
}
