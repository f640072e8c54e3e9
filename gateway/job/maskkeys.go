package job

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"github.com/yumen-project/yumen/gateway/audit"
	"github.com/yumen-project/yumen/gateway/governance"
	"github.com/yumen-project/yumen/gateway/job/spec"
	"github.com/yumen-project/yumen/gateway/keyring"
	"github.com/yumen-project/yumen/masking"
)

// maskKeys hands out the keys of one recipient in one scenario. Another recipient has other keys, so
// that what two of them got cannot be joined by what stands in the place of an identifier.
type maskKeys struct {
	ring                *keyring.Ring
	scenario, recipient string
}

// Key is that of a technique, or of a sample: samples have one key for all, and so the same subjects.
func (k *maskKeys) Key(purpose, name string) ([]byte, error) {
	if purpose == masking.PurposeSample {
		return k.ring.LineageKey()
	}
	return k.ring.MaskKey(purpose, k.scenario, k.recipient, name)
}

// keyDestroyed is the end of one key of masked tables, as a frame of the log. The frame comes first:
// from then on no job uses the key, and a gateway that stopped in between destroys it at its start.
type keyDestroyed struct {
	By        string `json:"by"`
	Scenario  string `json:"scenario"`
	Recipient string `json:"recipient"`
	Key       string `json:"key"`
}

func (k *keyDestroyed) slot() string { return keyring.MaskKeyName(k.Scenario, k.Recipient, k.Key) }

// KeyStatement is the digest that stands in the public entry of a destroyed key: SM3 over a label,
// scenario, recipient and key name, each after its length (4 bytes, big endian). Who knows the three
// can find the entry.
func KeyStatement(scenario, recipient, key string) audit.Hash {
	return audit.HashOf(fields(nil, "yumen/mask-key-destroyed/v1", scenario, recipient, key))
}

// DestroyKey ends a key of masked tables for good: what was made under it can no longer be linked to
// anything made later, nor turned back. The key need not have been used, or be named by the domain
// file any more. Jobs that need it are refused from here on, one at work is stopped.
func (r *Runner) DestroyKey(ctx context.Context, d *spec.KeyDestruction) (*spec.Applied, error) {
	policy := r.state.Load().policy
	if !may(policy, d.Party, governance.RoleOperator, governance.RoleDataAuthority) {
		return nil, r.denyAct(ctx, d.Party, "destroy-key", policy.Refuse(governance.RoleNotAllowed))
	}
	if d.Scenario == "" || d.Recipient == "" || d.Key == "" {
		return nil, r.denyAct(ctx, d.Party, "destroy-key", policy.Refuse(governance.Malformed))
	}
	r.changing.Lock()
	defer r.changing.Unlock()
	c := &keyDestroyed{By: strings.TrimPrefix(d.Party, "@"), Scenario: d.Scenario, Recipient: d.Recipient, Key: d.Key}
	appended, err := r.write(ctx, audit.KeyEvent, KeyStatement(c.Scenario, c.Recipient, c.Key), &change{KeyDestroyed: c})
	if err != nil {
		return nil, err
	}
	if err := r.o.Ring.Destroy(keyring.Pseudonym, c.slot()); err != nil {
		return nil, fmt.Errorf("key in the log as destroyed, its file remains until the next start: %w", err)
	}
	r.jobs.recheck(r)
	return &spec.Applied{Entry: appended.Index}, nil
}

// finishDestroying does at the start what a crash may have left undone.
func (r *Runner) finishDestroying() {
	r.domainMu.Lock()
	defer r.domainMu.Unlock()
	for slot := range r.domain.destroyed {
		if err := r.o.Ring.Destroy(keyring.Pseudonym, slot); err != nil {
			r.o.Logger.Error("key not destroyed", slog.String("error", err.Error()))
		}
	}
}

func (d *domain) takeDestroyed(k *keyDestroyed) {
	if d.destroyed == nil {
		d.destroyed = map[string]bool{}
	}
	d.destroyed[k.slot()] = true
}

// maskRefusal says why a masked table that is granted may yet not be made: it asks for what jobs do
// not do, or needs a key that is no more. It depends on nothing in the data.
func (r *Runner) maskRefusal(d *governance.Decision) *governance.Refusal {
	if s := d.Mask.Sample; s != nil && !smallSample(s.Rate) {
		return d.Policy.Refuse(governance.SampleRate)
	}
	r.domainMu.Lock()
	defer r.domainMu.Unlock()
	for _, c := range d.Mask.Columns {
		if c.Technique == masking.TechniquePerturb {
			return d.Policy.Refuse(governance.PerturbRefused)
		}
		if c.Key != "" && r.domain.destroyed[keyring.MaskKeyName(d.Scenario.ID, d.Unit.Party, c.Key)] {
			return d.Policy.Refuse(governance.KeyDestroyed)
		}
	}
	return nil
}

// keyProblem is one sentence on a key that could not be had, or "".
func keyProblem(err error) string {
	switch {
	case errors.Is(err, keyring.ErrSelfMade):
		return "a key of the masked table is missing, and production makes no keys of its own: import it"
	case errors.Is(err, keyring.ErrExposed):
		return "a key of the masked table is readable by others: consider it lost, and name another"
	case errors.Is(err, keyring.ErrKey):
		return "a key of the masked table is damaged"
	}
	return ""
}
