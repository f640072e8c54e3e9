package governance

import (
	"encoding/hex"
	"fmt"

	"go.yaml.in/yaml/v3"

	"github.com/yumen-project/yumen/gateway/keyring"
)

// Objects of an approval.
const (
	ObjectScenario = "scenario"
	ObjectPartyKey = "party-key"
	ObjectSettings = "settings" // of the domain; its id is "settings" too
)

// Roles in which a party approves.
const (
	AsAuthority = "authority"
	AsProvider  = "provider"
	AsHolder    = "holder" // of the key that is replaced
)

// Approval is one signature over an object of a domain. It is believed only after
// NewPolicy has verified it against the pinned key of its party.
type Approval struct {
	Object    string `yaml:"object"`
	ID        string `yaml:"id"`
	Party     string `yaml:"party"`
	Role      string `yaml:"role"`
	Digest    string `yaml:"digest"`    // SM3 of the canonical object, 64 hex digits
	Signature string `yaml:"signature"` // r and s, 128 hex digits
}

type approvalsFile struct {
	Format    int        `yaml:"yumen-approvals"`
	Approvals []Approval `yaml:"approvals"`
}

// ParseApprovals reads an approvals file of at most 4 MiB. The error is a FileErrors.
func ParseApprovals(file []byte) ([]Approval, error) {
	r := &reader{pack: noPack()}
	root := r.document(file)
	if root == nil {
		return nil, r.err()
	}
	o := r.object(root, "", "yumen-approvals", "approvals")
	o.integer("yumen-approvals", 1, 1)
	out := each(o, "approvals", maxApprovals, r.approval)
	if err := r.err(); err != nil {
		return nil, err
	}
	return out, nil
}

func (r *reader) approval(n *yaml.Node, path string) Approval {
	o := r.object(n, path, "object", "id", "party", "role", "digest", "signature")
	return Approval{
		Object: o.enum("object", ObjectScenario, ObjectPartyKey, ObjectSettings), ID: o.id("id"), Party: o.id("party"),
		Role:   o.enum("role", AsAuthority, AsProvider, AsHolder),
		Digest: o.digest("digest", 32), Signature: o.digest("signature", keyring.SignatureSize),
	}
}

// MarshalApprovals writes an approvals file.
func MarshalApprovals(as []Approval) ([]byte, error) {
	out, err := yaml.Marshal(approvalsFile{Format: 1, Approvals: as})
	if err != nil {
		return nil, fmt.Errorf("marshal approvals: %w", err)
	}
	return out, nil
}

// SignApproval signs an object of the domain as it stands now. Object is
// ObjectScenario (role authority or provider) or ObjectPartyKey (role holder,
// signed with the old key; or role authority, to accept a new data authority) or
// ObjectSettings (role authority or provider; id ObjectSettings).
// An empty role means holder for a party key.
func SignApproval(d *Domain, object, id, party, role string, s keyring.Signer) (Approval, error) {
	if object == ObjectPartyKey && role == "" {
		role = AsHolder
	}
	digest, err := d.objectDigest(object, id)
	if err != nil {
		return Approval{}, fmt.Errorf("sign approval: %w", err)
	}
	if err := d.mayApprove(object, id, party, role, s.Public().String()); err != nil {
		return Approval{}, fmt.Errorf("sign approval: %w", err)
	}
	a := Approval{Object: object, ID: id, Party: party, Role: role, Digest: hex.EncodeToString(digest[:])}
	msg, err := a.message(d.ID)
	if err != nil {
		return Approval{}, fmt.Errorf("sign approval: %w", err)
	}
	sig, err := s.Sign(msg)
	if err != nil {
		return Approval{}, fmt.Errorf("sign approval: %w", err)
	}
	if !s.Public().Verify(keyring.Approval, msg, sig) {
		return Approval{}, fmt.Errorf("sign approval: the key is not one for approvals")
	}
	a.Signature = hex.EncodeToString(sig)
	return a, nil
}

// mayApprove refuses to sign what could never count: in a role that is not asked
// for, or with a key that is not the party's. A holder signs with the key before.
func (d *Domain) mayApprove(object, id, party, role, key string) error {
	ix := d.lookups()
	ok := false
	switch p := ix.parties[party]; object {
	case ObjectSettings:
		ok = p != nil && (role == AsAuthority && p.authority() || role == AsProvider && p.HasRole(RoleProvider))
	case ObjectPartyKey:
		ok = role == AsHolder && party == id ||
			role == AsAuthority && party != id && ix.parties[party] != nil && ix.parties[party].authority()
	default:
		for _, k := range required(ix.scenarios[id]) {
			ok = ok || k.party == party && k.role == role
		}
	}
	if !ok {
		return d.Pack().Refuse(RoleNotAllowed)
	}
	if p := ix.parties[party]; role != AsHolder && (p == nil || p.Key != key) {
		return d.Pack().Refuse(ApprovalInvalid)
	}
	return nil
}

// objectDigest is what an approval of the object must carry now.
func (d *Domain) objectDigest(object, id string) ([32]byte, error) {
	switch {
	case object == ObjectScenario:
		return d.ScenarioDigest(id)
	case object == ObjectSettings && id == ObjectSettings:
		return d.SettingsDigest()
	}
	p := d.lookups().parties[id]
	if object != ObjectPartyKey || p == nil {
		return [32]byte{}, d.Pack().Refuse(DanglingReference)
	}
	return digestOf(struct {
		Format string `json:"yumen_party"`
		Domain string `json:"domain"`
		Party  Party  `json:"party"`
	}{"1", d.ID, *p})
}

// message is what is signed: the digest bound to domain, object, party and role.
func (a *Approval) message(domain string) ([]byte, error) {
	return canonical(struct {
		Format string `json:"yumen_approval"`
		Domain string `json:"domain"`
		Object string `json:"object"`
		ID     string `json:"id"`
		Party  string `json:"party"`
		Role   string `json:"role"`
		Digest string `json:"digest"`
	}{"1", domain, a.Object, a.ID, a.Party, a.Role, a.Digest})
}

// verify checks the signature under a key, and that the digest is the one wanted.
func (a *Approval) verify(domain, key string, digest [32]byte) bool {
	if key == "" || a.Digest != hex.EncodeToString(digest[:]) {
		return false
	}
	k, err := keyring.ParsePublicKey(key)
	if err != nil {
		return false
	}
	sig, err := hex.DecodeString(a.Signature)
	if err != nil {
		return false
	}
	msg, err := a.message(domain)
	return err == nil && k.Verify(keyring.Approval, msg, sig)
}

// keyRole is a party in a role in which it must approve.
type keyRole struct{ party, role string }

// required lists whose signatures a scenario needs: the authority and every provider (R18).
func required(s *Scenario) []keyRole {
	if s == nil {
		return nil
	}
	out := []keyRole{{s.Authority, AsAuthority}}
	for _, p := range s.Providers {
		out = append(out, keyRole{p, AsProvider})
	}
	return out
}
