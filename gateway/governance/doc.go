// Package governance decides who may ask what, for which purpose and until when.
//
// A domain file (YAML) is read by ParseDomain into a checked Domain. NewPolicy
// joins it with the approvals of authority and providers into a Policy, an
// immutable snapshot that answers Decide. Everything not granted is refused, and
// every refusal names a rule and the article in force in the jurisdiction of the
// domain (rule packs under packs/; where a regulation is silent the refusal says
// 网关规则, a rule of the gateway, and the row of docs/REQUIREMENTS.md).
//
// What is protected: a decision reads the policy and the question, never data,
// so a refusal tells nothing about any subject. What runs is what was signed: the
// digest under an approval covers everything a scenario refers to. A key that was
// once accepted for an authority or a provider can be replaced only under a
// signature of that key, and a suspension outlives every later domain file.
//
// What is not protected: the first domain file is believed. Whoever applies it
// names the authority and its key; compare the key's fingerprint by another way.
// A Domain holds the subjects of consents: they print as [subject], but Canonical
// contains them and belongs only into sealed records.
//
// All values are safe for concurrent use once made; nothing here keeps state,
// reads a clock or draws randomness.
package governance
