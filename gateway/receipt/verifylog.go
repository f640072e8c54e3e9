package receipt

import (
	"context"
	"errors"
	"strconv"

	"github.com/yumen-project/yumen/gateway/audit"
	"github.com/yumen-project/yumen/gateway/keyring"
)

// VerifyLog judges the public part of a log, as audit.Log.Export writes it,
// and with it receipts (nil: none are judged): that each verifies by itself
// and that its checkpoint is a part of this log. A log cut short, edited,
// reordered, or forked after one of the receipts was given out, fails. It
// never panics.
func VerifyLog(ctx context.Context, dir string, receipts [][]byte, trust *TrustSet) *Report {
	return VerifyWitnessedLog(ctx, dir, receipts, trust, nil)
}

// VerifyWitnessedLog is VerifyLog, and judges besides that the log is what the
// witness's checkpoint (nil: none is judged) was signed for, or has grown out of
// it. Only this shows a log that its owner forked or rolled back as a whole.
func VerifyWitnessedLog(ctx context.Context, dir string, receipts [][]byte, trust *TrustSet, w *Witnessed) (report *Report) {
	report = &Report{}
	defer func() {
		if recover() != nil {
			report.judge(ClaimLog, reasonPanic)
		}
	}()
	if !report.judge(ClaimTrust, unless(trust.Err() == nil, reasonTrustDir)) {
		return report
	}
	claims, origin, number, why := collect(receipts, trust)
	witness := reasonNone
	if w != nil {
		claims, origin, witness = w.claim(claims, origin, trust)
	}
	err := verifyDir(ctx, dir, origin, trust, claims)
	var failed *audit.ClaimError
	switch {
	case err == nil:
		report.judge(ClaimLog, reasonNone)
	case !errors.As(err, &failed):
		report.judge(ClaimLog, reasonLogUnread)
	case failed.Claim == ClaimWitness:
		witness = reasonWitnessFork
	default:
		n, isReceipt := ordinal(failed.Claim)
		if !isReceipt {
			report.judgeAt(ClaimLog, reasonLog, failed.Claim)
			break
		}
		if why == reasonNone || n < number {
			number, why = n, reasonLogFork
		}
	}
	if receipts != nil {
		report.judgeAt(ClaimReceipts, why, place(number, why))
	}
	if w != nil {
		report.judge(ClaimWitness, witness)
	}
	return report
}

// Witnessed is a checkpoint with the signature of a witness, as the witness
// gives it out, and the witness's public key. Get both from the witness, not
// from the log's owner.
type Witnessed struct {
	Checkpoint []byte
	Key        keyring.PublicKey
}

// NewWitnessed reads the public key of a witness; the checkpoint is for the
// caller to fill in.
func NewWitnessed(key string) (*Witnessed, error) {
	k, err := keyring.ParsePublicKey(key)
	if err != nil {
		return nil, err
	}
	return &Witnessed{Key: k}, nil
}

// claim adds the checkpoint to the claims on the log, once its two signatures
// hold.
func (w *Witnessed) claim(claims []audit.Claim, origin string, trust *TrustSet) ([]audit.Claim, string, reason) {
	key := audit.WitnessKey{ID: w.Key.ID(), Verify: func(msg, sig []byte) bool { return w.Key.Verify(keyring.Witness, msg, sig) }}
	for _, a := range trust.order {
		cp, _, err := audit.ParseCosigned(w.Checkpoint, a.Origin, a.KeyName, a.verifier(), key)
		if err != nil || origin != "" && origin != a.Origin {
			continue
		}
		return append(claims, audit.Claim{Name: ClaimWitness, Checkpoint: cp}), a.Origin, reasonNone
	}
	return claims, origin, reasonWitness
}

// receiptClaim is how the claims of receipts are called before their number.
const receiptClaim = "receipt "

// ordinal is the number in the name of a receipt's claim.
func ordinal(claim string) (int, bool) {
	if len(claim) <= len(receiptClaim) || claim[:len(receiptClaim)] != receiptClaim {
		return 0, false
	}
	n, err := strconv.Atoi(claim[len(receiptClaim):])
	return n, err == nil
}

func place(number int, why reason) string {
	if why == reasonNone || why == reasonNoReceipts {
		return ""
	}
	return receiptClaim + strconv.Itoa(number)
}

// collect verifies each receipt and makes of its checkpoint, once for each, a
// claim on the log. It returns the origin that all of them name, and the number
// (from 1) of the first receipt that does not verify, with the reason.
func collect(receipts [][]byte, trust *TrustSet) (claims []audit.Claim, origin string, number int, why reason) {
	if receipts != nil && len(receipts) == 0 {
		return nil, "", 0, reasonNoReceipts
	}
	seen := make(map[audit.Hash]bool)
	for i, file := range receipts {
		c := checkpointOf(file, trust)
		switch {
		case c == nil:
			return claims, origin, i + 1, reasonLogReceipt
		case origin != "" && c.Origin != origin:
			return claims, origin, i + 1, reasonLogFork
		}
		origin = c.Origin
		if key := audit.HashOf(c.Text); !seen[key] {
			seen[key] = true
			claims = append(claims, audit.Claim{Name: receiptClaim + strconv.Itoa(i+1), Checkpoint: c})
		}
	}
	return claims, origin, 0, reasonNone
}

// checkpointOf verifies a receipt and returns its checkpoint, or nil.
func checkpointOf(file []byte, trust *TrustSet) *audit.Checkpoint {
	report := &Report{}
	r, s, ok := report.read(file)
	if !ok {
		return nil
	}
	if report.proof(r, s, trust); !report.OK() {
		return nil
	}
	a, _ := trust.find(s)
	return parseCheckpoint(r.Checkpoint, a)
}

// verifyDir verifies the log under any of the trust files, of the origin if
// one is given; a log has one origin, but its key may have changed.
func verifyDir(ctx context.Context, dir, origin string, trust *TrustSet, claims []audit.Claim) error {
	err := errors.New("no trust file is of this origin")
	for _, a := range trust.order {
		if origin != "" && a.Origin != origin {
			continue
		}
		_, err = audit.VerifyDir(ctx, dir, a.Origin, a.KeyName, a.verifier(), claims...)
		var failed *audit.ClaimError
		if err == nil || errors.As(err, &failed) && failed.Claim != "log checkpoint" {
			return err
		}
	}
	return err
}
