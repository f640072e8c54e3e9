package scenario

import (
	"errors"
	"fmt"
	"math/bits"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/yumen-project/yumen/benchmarks/city"
	apiv1 "github.com/yumen-project/yumen/gateway/api/v1"
)

// Templates that may be asked.
const (
	Urban      = "urban"
	SamePerson = "same-person"
)

// ErrTemplate says that the scenario has no such template.
var ErrTemplate = errors.New("scenario: template: want urban or same-person")

// strangeEvery is how often a question is about somebody whom no register knows.
const strangeEvery = 16

// Questions is an endless sequence of questions about the persons of a city in
// an order that favours no cache: neighbours in the sequence are strangers in
// every index. Answers are worked out beforehand, so that asking costs little.
// It is safe for concurrent use.
type Questions struct {
	Template string
	persons  []entry
	contacts []contact // as long as persons for identity match, empty otherwise
	strange  []string
	step     uint64
	next     atomic.Uint64
}

// entry holds no pointer, so that a million of them cost the collector nothing.
type entry struct {
	rid  [18]byte
	want uint8
}

type contact struct{ name, phone string }

// NewQuestions asks the city about every person once.
func NewQuestions(town *city.City, template string) (*Questions, error) {
	if template != Urban && template != SamePerson {
		return nil, ErrTemplate
	}
	q := &Questions{Template: template, persons: make([]entry, town.Persons())}
	if template == SamePerson {
		q.contacts = make([]contact, town.Persons())
	}
	var wg sync.WaitGroup
	workers := runtime.GOMAXPROCS(0)
	for w := range workers {
		wg.Go(func() {
			for i := w; i < len(q.persons); i += workers {
				q.prepare(town, i)
			}
		})
	}
	wg.Wait()
	for i := range 1024 {
		s, err := town.Stranger(i)
		if err != nil {
			return nil, fmt.Errorf("make stranger: %w", err)
		}
		q.strange = append(q.strange, s)
	}
	q.step = coprime(uint64(len(q.persons)))
	return q, nil
}

// prepare works out the answer about person i. Every third identity question names a wrong phone.
func (q *Questions) prepare(town *city.City, i int) {
	p, e := town.Person(i), &q.persons[i]
	copy(e.rid[:], p.RID)
	if q.Template == Urban {
		e.want = code(p.Kind == city.Town && !p.Objection, apiv1.Answer_ANSWER_YES, apiv1.Answer_ANSWER_NO)
		return
	}
	c := contact{p.Name, p.Phone}
	if i%3 == 0 {
		c.phone = town.Person((i + 1) % town.Persons()).Phone
	}
	q.contacts[i] = c
	e.want = code(c.phone == p.Phone && !p.Objection, apiv1.Answer_ANSWER_MATCH, apiv1.Answer_ANSWER_MISMATCH)
}

func code(yes bool, a, b apiv1.Answer) uint8 {
	if yes {
		return uint8(a)
	}
	return uint8(b)
}

// coprime is a step near the golden section of n that visits everybody before anybody twice.
func coprime(n uint64) uint64 {
	step := max(n*618/1000, 1)
	for gcd(step, n) != 1 {
		step++
	}
	return step
}

func gcd(a, b uint64) uint64 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// Question is one question and the answer it must get.
type Question struct {
	Subject *apiv1.Subject
	Want    apiv1.Answer
}

// Next is the next question of the sequence.
func (q *Questions) Next() Question {
	n := q.next.Add(1) - 1
	if n%strangeEvery == strangeEvery-1 {
		return q.aboutStranger(n / strangeEvery)
	}
	hi, lo := bits.Mul64(n, q.step)
	_, at := bits.Div64(hi%uint64(len(q.persons)), lo, uint64(len(q.persons)))
	e := &q.persons[at]
	return Question{Subject: q.subject(string(e.rid[:]), at), Want: apiv1.Answer(e.want)}
}

// subject joins a number with the name and phone of the person at that place, where they are asked.
func (q *Questions) subject(number string, at uint64) *apiv1.Subject {
	s := &apiv1.Subject{Number: number}
	if len(q.contacts) > 0 {
		s.Name, s.Phone = q.contacts[at].name, q.contacts[at].phone
	}
	return s
}

func (q *Questions) aboutStranger(n uint64) Question {
	s := q.subject(q.strange[n%uint64(len(q.strange))], n%uint64(len(q.persons)))
	if q.Template == Urban {
		return Question{Subject: s, Want: apiv1.Answer_ANSWER_NO}
	}
	return Question{Subject: s, Want: apiv1.Answer_ANSWER_MISMATCH}
}
