package server

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/yumen-project/yumen/gateway/feed"
	"github.com/yumen-project/yumen/gateway/governance"
	"github.com/yumen-project/yumen/gateway/job"
	"github.com/yumen-project/yumen/gateway/keyring"
)

// feedEnd is a checked address and the key that is believed there; the zero value is none.
type feedEnd struct {
	url string
	key keyring.PublicKey
	tls *tls.Config
}

// feedConfig is what the settings of witness and push say.
type feedConfig struct {
	witness, push    feedEnd
	maxAge, deadline time.Duration
}

func (c *Config) completeFeeds() (feedConfig, error) {
	var f feedConfig
	var err error
	if f.witness, err = c.feedEnd("witness", c.WitnessURL, c.WitnessKey, c.WitnessCA); err != nil {
		return f, err
	}
	if f.push, err = c.feedEnd("push", c.PushURL, c.PushKey, c.PushCA); err != nil {
		return f, err
	}
	if f.maxAge, err = span("witness.max-age", c.WitnessMaxAge); err != nil {
		return f, err
	}
	if f.maxAge > 0 && f.witness.url == "" {
		return f, errors.New("configuration: witness.max-age: needs witness.url")
	}
	if f.deadline, err = span("push.deadline", c.PushDeadline); err != nil {
		return f, err
	}
	if f.push.url != "" && f.deadline == 0 {
		return f, errors.New("configuration: push.deadline: needed with push.url")
	}
	return f, c.clientCertificate(&f.push)
}

func (c *Config) feedEnd(name, url, key, ca string) (feedEnd, error) {
	if url == "" {
		return feedEnd{}, nil
	}
	e := feedEnd{tls: &tls.Config{MinVersion: tls.VersionTLS13}}
	var err error
	if e.url, err = feed.ParseURL(url, c.Mode == "production"); err != nil {
		return e, fmt.Errorf("configuration: %s.url: %w", name, err)
	}
	if e.key, err = keyring.ParsePublicKey(key); err != nil {
		return e, fmt.Errorf("configuration: %s.key: %w", name, err)
	}
	if ca == "" {
		return e, nil
	}
	if e.tls.RootCAs, err = LoadCA(ca); err != nil {
		return e, fmt.Errorf("configuration: %s.ca: %w", name, err)
	}
	return e, nil
}

func (c *Config) clientCertificate(e *feedEnd) error {
	if (c.PushCert == "") != (c.PushCertKey == "") || c.PushCert != "" && e.url == "" {
		return errors.New("configuration: push.cert and push.cert-key: both or none, and with push.url")
	}
	if c.PushCert == "" {
		return nil
	}
	pair, err := tls.LoadX509KeyPair(c.PushCert, c.PushCertKey)
	if err != nil {
		return errors.New("configuration: push.cert or push.cert-key: unusable")
	}
	e.tls.Certificates = []tls.Certificate{pair}
	return nil
}

// span reads a duration between a second and a week; empty is none.
func span(key, text string) (time.Duration, error) {
	if text == "" {
		return 0, nil
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < time.Second || d > 7*24*time.Hour {
		return 0, fmt.Errorf("configuration: %s: want a duration of 1s to 168h", key)
	}
	return d, nil
}

// feeds give a witness and the exchange platform sight of the log while the gateway runs.
type feeds struct {
	witness *feed.Witness
	push    *feed.Push
	cancel  context.CancelFunc
	running sync.WaitGroup
}

// feedPatience bounds one call; a feed whose deadline is shorter waits no longer than that.
const feedPatience = 10 * time.Second

func (f *feeds) start(c *feedConfig, r *job.Runner, logger *slog.Logger) {
	ctx, cancel := context.WithCancel(context.Background())
	f.cancel = cancel
	if e := &c.witness; e.url != "" {
		f.witness = feed.NewWitness(feed.WitnessOptions{URL: e.url, Key: e.key, MaxAge: c.maxAge, Log: r,
			Client: feed.NewClient(e.tls, feedPatience), Clock: time.Now, Logger: logger})
		f.running.Go(func() { f.witness.Run(ctx) })
	}
	if e := &c.push; e.url != "" {
		f.push = feed.NewPush(feed.PushOptions{URL: e.url, Key: e.key, Deadline: c.deadline, Log: r,
			Client: feed.NewClient(e.tls, min(feedPatience, c.deadline)), Clock: time.Now, Logger: logger})
		f.running.Go(func() { f.push.Run(ctx) })
	}
}

// stop ends the feeds; they write to the log, so before it closes.
func (f *feeds) stop() {
	if f == nil || f.cancel == nil {
		return
	}
	f.cancel()
	f.running.Wait()
}

// ready names the rule by which questions are refused now, or "".
func (f *feeds) ready() governance.Rule {
	if f.witness != nil {
		if rule := f.witness.Ready(); rule != "" {
			return rule
		}
	}
	if f.push != nil {
		return f.push.Ready()
	}
	return ""
}
