package e2e

import (
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/yumen-project/yumen/benchmarks/city"
	apiv1 "github.com/yumen-project/yumen/gateway/api/v1"
)

// oracle is what the city itself says to a template: the answer, without the gateway.
type oracle func(p *city.Person) apiv1.Answer

func yes(ok bool) apiv1.Answer {
	if ok {
		return apiv1.Answer_ANSWER_YES
	}
	return apiv1.Answer_ANSWER_NO
}

func truths() map[string]oracle {
	return map[string]oracle{
		"owns-home":   func(p *city.Person) apiv1.Answer { return yes(p.OwnsHome()) },
		"insured-24m": func(p *city.Person) apiv1.Answer { return yes(p.Insured && p.Months >= 24) },
		"urban":       func(p *city.Person) apiv1.Answer { return yes(!p.Objection && p.Kind == city.Town) },
		"widowed": func(p *city.Person) apiv1.Answer {
			switch {
			case !p.InCivil:
				return apiv1.Answer_ANSWER_NOT_FOUND
			case p.CivilObjection:
				return apiv1.Answer_ANSWER_WITHHELD
			}
			return yes(p.Marital == city.Widowed)
		},
	}
}

// respell writes a number in one of the ways in which people do.
func respell(r *rand.Rand, rid string) string {
	switch r.IntN(9) {
	case 0:
		return fullWidth(rid)
	case 1:
		return strings.ToLower(rid)
	case 2:
		return " " + rid + "\t"
	case 3:
		return rid[:6] + " " + rid[6:14] + " " + rid[14:]
	case 4:
		return rid[:6] + "-" + rid[6:14] + "-" + rid[14:]
	case 5:
		if strings.HasPrefix(rid[6:], "19") {
			return rid[:6] + rid[8:17]
		}
	case 6:
		return fullWidth(strings.ToLower(rid))
	}
	return rid
}

// Thousands of single questions, by many callers at once, get what the city says.
func TestOracle_Verify(t *testing.T) {
	g := start(t, options{})
	bank := g.as("bank")
	all := truths()
	var wg sync.WaitGroup
	for worker := range 8 {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(1, uint64(worker)))
			for range 250 {
				p := &common.people[r.IntN(len(common.people))]
				for template, want := range all {
					in := &apiv1.VerifyRequest{Scenario: "finance", Template: template, Subject: &apiv1.Subject{Number: respell(r, p.RID)}}
					out, err := bank.Verify(ctx(), in)
					if err != nil || out.GetAnswer() != want(p) {
						t.Errorf("template %s, person %d: answer %v, want %v, error %v", template, p.Index, out.GetAnswer(), want(p), err)
						return
					}
				}
			}
		})
	}
	wg.Wait()
}

// Batches over the whole city, shuffled and with absent subjects in between, get what the city says,
// and so do those who object, one by one.
func TestOracle_Batch(t *testing.T) {
	g := start(t, options{})
	r := rand.New(rand.NewPCG(2, 2))
	objectors := 0
	for template, want := range truths() {
		if template == "widowed" {
			continue // a rare status takes no batch
		}
		var in []*apiv1.Subject
		var expected []apiv1.Answer
		for _, i := range r.Perm(len(common.people)) {
			p := &common.people[i]
			in, expected = append(in, &apiv1.Subject{Number: respell(r, p.RID)}), append(expected, want(p))
			if i%10 == 0 {
				in, expected = append(in, &apiv1.Subject{Number: respell(r, stranger(t, i))}), append(expected, apiv1.Answer_ANSWER_NO)
			}
		}
		out, err := g.as("bank").VerifyBatch(ctx(), &apiv1.VerifyBatchRequest{Scenario: "finance", Template: template, Subjects: in})
		require.NoError(t, err)
		require.Equal(t, expected, out.GetAnswers(), template)
		require.Equal(t, uint32(len(in)), out.GetBillable())
	}
	for i := range common.people {
		p := &common.people[i]
		if !p.CivilObjection || !p.InCivil {
			continue
		}
		objectors++
		require.Equal(t, apiv1.Answer_ANSWER_WITHHELD, g.must("bank", "finance", "widowed", p.RID).GetAnswer())
	}
	require.NotZero(t, objectors)
	require.Equal(t, apiv1.Answer_ANSWER_NOT_FOUND, g.must("bank", "finance", "widowed", stranger(t, 1)).GetAnswer())
}

// Identity match: name, number and phone, each right or another's, in many spellings.
func TestOracle_Identity(t *testing.T) {
	g := start(t, options{})
	r := rand.New(rand.NewPCG(3, 3))
	var in []*apiv1.Subject
	var expected []apiv1.Answer
	for range 4000 {
		p, q := &common.people[r.IntN(len(common.people))], &common.people[r.IntN(len(common.people))]
		s, want := &apiv1.Subject{Number: respell(r, p.RID), Name: p.Name, Phone: p.Phone}, apiv1.Answer_ANSWER_MATCH
		if r.IntN(3) == 0 {
			s.Name = q.Name
		}
		if r.IntN(3) == 0 {
			s.Phone = q.Phone
		}
		if s.GetName() != p.Name || s.GetPhone() != p.Phone {
			want = apiv1.Answer_ANSWER_MISMATCH
		}
		if p.Objection {
			want = apiv1.Answer_ANSWER_WITHHELD
		}
		if r.IntN(20) == 0 {
			s.Number, want = stranger(t, r.IntN(5000)), apiv1.Answer_ANSWER_NOT_FOUND
		}
		s.Name, s.Phone = respellName(r, s.GetName()), respellPhone(r, s.GetPhone())
		in, expected = append(in, s), append(expected, want)
	}
	out, err := g.as("bank").VerifyBatch(ctx(), &apiv1.VerifyBatchRequest{Scenario: "finance", Template: "same-person", Subjects: in})
	require.NoError(t, err)
	require.Equal(t, expected, out.GetAnswers())
}

func respellName(r *rand.Rand, name string) string {
	switch r.IntN(4) {
	case 0:
		return " " + name + "　"
	case 1:
		_, n := utf8.DecodeRuneInString(name)
		if !strings.Contains(name, "·") {
			return name[:n] + " " + name[n:]
		}
		return strings.ReplaceAll(name, "·", "•")
	}
	return name
}

func respellPhone(r *rand.Rand, phone string) string {
	return []string{"+86 " + phone, "0086" + phone, phone[:3] + "-" + phone[3:7] + "-" + phone[7:], fullWidth(phone), phone}[r.IntN(5)]
}
