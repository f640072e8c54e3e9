package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/yumen-project/yumen/gateway/audit"
	"github.com/yumen-project/yumen/gateway/keyring"
	"github.com/yumen-project/yumen/gateway/receipt"
)

// service is a witness on a socket.
type service struct {
	listen, trust, name string
	cert, certKey       string
}

// readLogs makes of each trust file a log to watch.
func readLogs(dir string) ([]audit.WitnessedLog, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, usageError{errors.New("trust: directory unreadable")}
	}
	var out []audit.WitnessedLog
	for i, e := range entries {
		text, err := readTrust(dir, e)
		if err != nil {
			return nil, usageError{fmt.Errorf("trust: file %d: %w", i+1, err)}
		}
		t, err := receipt.ParseTrust(text)
		if err != nil {
			return nil, usageError{fmt.Errorf("trust: file %d: %w", i+1, err)}
		}
		key, err := keyring.ParsePublicKey(t.CheckpointKey)
		if err != nil {
			return nil, usageError{fmt.Errorf("trust: file %d: %w", i+1, err)}
		}
		out = append(out, audit.WitnessedLog{Origin: t.Origin, KeyName: t.KeyName,
			Verify: func(msg, sig []byte) bool { return key.Verify(keyring.Checkpoint, msg, sig) }})
	}
	return out, nil
}

func readTrust(dir string, e os.DirEntry) ([]byte, error) {
	if !e.Type().IsRegular() || !strings.HasSuffix(e.Name(), ".json") {
		return nil, errors.New("want files *.json alone")
	}
	f, err := os.Open(filepath.Join(dir, e.Name()))
	if err != nil {
		return nil, errors.New("unreadable")
	}
	text, err := io.ReadAll(io.LimitReader(f, receipt.MaxTrust+1))
	if err = errors.Join(err, f.Close()); err != nil {
		return nil, errors.New("unreadable")
	}
	return text, nil
}

// run serves until ctx ends.
func (s *service) run(ctx context.Context, w *audit.Witness, out io.Writer) error {
	if (s.cert == "") != (s.certKey == "") {
		return usageError{errors.New("tls-cert and tls-key: both or none")}
	}
	l, err := net.Listen("tcp", s.listen)
	if err != nil {
		return usageError{errors.New("listen: address not usable")}
	}
	if _, err := fmt.Fprintln(out, "listening on", l.Addr()); err != nil {
		return errors.Join(err, l.Close())
	}
	server := &http.Server{
		Handler: handler(w), ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 10 * time.Second,
		IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 16 << 10, TLSConfig: &tls.Config{MinVersion: tls.VersionTLS13},
	}
	failed := make(chan error, 1)
	go func() {
		if s.cert == "" {
			failed <- server.Serve(l)
			return
		}
		failed <- server.ServeTLS(l, s.cert, s.certKey)
	}()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	late, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	return server.Shutdown(late)
}

// maxUnderWay bounds the requests that are judged at once; each costs signatures.
const maxUnderWay = 16

// handler serves add-checkpoint of C2SP tlog-witness, and what was signed last.
func handler(w *audit.Witness) http.Handler {
	turns := make(chan struct{}, maxUnderWay)
	mux := http.NewServeMux()
	mux.HandleFunc("POST /add-checkpoint", func(rw http.ResponseWriter, req *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(rw, req.Body, audit.MaxAddCheckpoint))
		if err != nil {
			answer(rw, nil, audit.ErrRequest)
			return
		}
		select {
		case turns <- struct{}{}:
			defer func() { <-turns }()
		case <-req.Context().Done():
			return
		}
		line, err := w.Add(body)
		answer(rw, line, err)
	})
	mux.HandleFunc("GET /checkpoint", func(rw http.ResponseWriter, req *http.Request) {
		note := w.Newest(req.URL.Query().Get("origin"))
		if note == nil {
			answer(rw, nil, audit.ErrUnknownLog)
			return
		}
		answer(rw, note, nil)
	})
	mux.HandleFunc("GET /healthz", func(rw http.ResponseWriter, _ *http.Request) { answer(rw, []byte("ok\n"), nil) })
	return mux
}

func answer(rw http.ResponseWriter, line []byte, err error) {
	status, media, body := audit.WitnessAnswer(line, err)
	rw.Header().Set("Content-Type", media)
	rw.Header().Set("X-Content-Type-Options", "nosniff")
	rw.WriteHeader(status)
	_, _ = rw.Write(body) //nolint:gosec // a size in digits or a signed note of our own making, never a page
}
