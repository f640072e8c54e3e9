// Package feed gives those outside sight of the log while it runs: a witness signs its newest
// checkpoint, the exchange platform takes its entries and signs for them.
//
// What leaves is public material alone: entries (digests), checkpoints, proofs. What comes back is
// believed only under the key that was configured. A feed says by which rule questions are to be
// refused while nobody signs; it stops nothing itself. Not protected: a witness or platform that
// works together with the log's owner.
package feed

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/yumen-project/yumen/gateway/audit"
)

// ErrURL: the address is not one that can be posted to.
var ErrURL = errors.New("want an http or https URL without user, query or fragment")

// ParseURL checks the address of a witness or platform. secure demands https.
func ParseURL(text string, secure bool) (string, error) {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" ||
		u.Scheme != "https" && (secure || u.Scheme != "http") {
		return "", ErrURL
	}
	return text, nil
}

// NewClient makes the HTTP client of a feed: no proxy, no redirect, few connections.
func NewClient(t *tls.Config, patience time.Duration) *http.Client {
	return &http.Client{
		Timeout:       patience,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{TLSClientConfig: t, MaxIdleConns: 2, MaxConnsPerHost: 2, IdleConnTimeout: time.Minute,
			TLSHandshakeTimeout: patience, ResponseHeaderTimeout: patience},
	}
}

// post sends a body and reads at most limit bytes of the answer.
func post(ctx context.Context, c *http.Client, to, media string, body []byte, limit int64) (int, []byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, to, bytes.NewReader(body))
	if err != nil {
		return 0, nil, ErrURL
	}
	req.Header.Set("Content-Type", media)
	resp, err := c.Do(req)
	if err != nil {
		var where *url.Error
		if errors.As(err, &where) {
			err = where.Err // without the address
		}
		return 0, nil, fmt.Errorf("post: %w", err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, limit+1))
	if err != nil || int64(len(text)) > limit {
		return 0, nil, errors.New("post: answer cut short or too long")
	}
	return resp.StatusCode, text, nil
}

// proofs is what both feeds need of the log.
type proofs interface {
	Latest() *audit.Checkpoint
	ProveConsistency(ctx context.Context, from uint64) ([]audit.Hash, *audit.Checkpoint, error)
}

// look is how often a feed looks whether there is something to do.
const look = 100 * time.Millisecond

// every calls do at once and then each time look has passed, until ctx ends.
func every(ctx context.Context, do func()) {
	tick := time.NewTicker(look)
	defer tick.Stop()
	for {
		do()
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}
