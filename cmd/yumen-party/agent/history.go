package agent

import (
	"context"
	"fmt"

	"github.com/yumen-project/yumen/compute/he/plan"
	apiv1 "github.com/yumen-project/yumen/gateway/api/v1"
	"github.com/yumen-project/yumen/gateway/client/encrypted"
)

// explain notes which entry of the log an event speaks of.
func (a *Agent) explain(e *encrypted.Event) {
	note := func(kind encrypted.Kind, hash [32]byte) {
		st := Hash(encrypted.EntryStatement(kind, hash))
		if _, waits := a.book.Unexplained[st]; waits {
			delete(a.book.Unexplained, st)
			a.book.Explained[st] = true
		} else if !a.book.Explained[st] {
			a.book.Explained[st] = false
		}
	}
	switch {
	case e.Kind == apiv1.ObjectKind_OBJECT_KIND_CEREMONY:
	case e.Kind == apiv1.ObjectKind_OBJECT_KIND_PLAN && e.Released:
		note(encrypted.KindReleased, e.Hash)
	case e.Kind == apiv1.ObjectKind_OBJECT_KIND_PLAN:
	default:
		note(e.Kind, e.Hash)
		note(encrypted.KindEnded, e.Hash)
	}
}

// logged says that the log up to the book's frontier holds an entry of an object.
func (a *Agent) logged(kind encrypted.Kind, hash [32]byte) bool {
	return a.book.Explained[Hash(encrypted.EntryStatement(kind, hash))]
}

// follow reads the log on from where it was last read, without a gap, and shows that
// it grew out of what was seen.
func (a *Agent) follow(ctx context.Context) error {
	if !a.book.Seen {
		f, cp, err := a.o.Gateway.Begin(ctx, a.o.Log)
		if err != nil {
			return err
		}
		a.book.Log, a.book.Seen, a.book.Checkpoint = f, true, string(cp.Text)
		return a.save()
	}
	entries, f, cp, err := a.o.Gateway.Follow(ctx, a.o.Log, a.book.Log)
	if err != nil {
		return err
	}
	for i, e := range entries {
		st := Hash(e.Statement)
		if _, known := a.book.Explained[st]; known {
			a.book.Explained[st] = true
		} else if e.Kind == encrypted.EntryKind {
			a.book.Unexplained[st] = a.book.Log.Size + uint64(i)
		}
	}
	a.book.Log, a.book.Checkpoint = f, string(cp.Text)
	for _, q := range a.book.Queries {
		if !q.Opened && q.Released && a.logged(encrypted.KindReleased, q.Plan) {
			q.Opened = true
		}
	}
	return nil
}

// earlier lists what other plans opened or may open: the released ones, and those
// that this holder approved.
func (a *Agent) earlier(ctx context.Context, but Hash) ([]plan.Opened, []*plan.Manifest, error) {
	var list []plan.Opened
	var manifests []*plan.Manifest
	seen := map[Hash]bool{}
	for hash, q := range a.book.Queries {
		if hash == but || q.Plan == (Hash{}) || !q.Released && q.Stage != Approved && q.Stage != Answered {
			continue
		}
		p, err := a.plan(ctx, q.Plan)
		if err != nil {
			return nil, nil, fmt.Errorf("earlier plan: %w", err)
		}
		opened, err := plan.OpenedBy(p)
		if err != nil {
			return nil, nil, err
		}
		list = append(list, opened...)
		for _, s := range p.Sources {
			if seen[s.Manifest] {
				continue
			}
			seen[s.Manifest] = true
			m, err := a.manifest(ctx, s.Manifest)
			if err != nil {
				return nil, nil, fmt.Errorf("earlier plan: %w", err)
			}
			manifests = append(manifests, m)
		}
	}
	return list, manifests, nil
}
