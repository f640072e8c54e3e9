package server

import (
	"context"
	"errors"
	"io"
	"log/slog"
)

// NewLogger writes JSON lines at the configured level.
func NewLogger(w io.Writer, c *Config) (*slog.Logger, error) {
	l, err := level(c.LogLevel)
	if err != nil {
		return nil, err
	}
	return slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{Level: l})), nil
}

func level(name string) (slog.Level, error) {
	var l slog.Level
	if err := l.UnmarshalText([]byte(name)); err != nil {
		return 0, errors.New("configuration: log.level: want debug, info, warn or error")
	}
	return l, nil
}

// discardHandler drops what net/http says of peers: it may quote what they sent.
type discardHandler struct{}

func (discardHandler) Enabled(context.Context, slog.Level) bool  { return false }
func (discardHandler) Handle(context.Context, slog.Record) error { return nil }
func (d discardHandler) WithAttrs([]slog.Attr) slog.Handler      { return d }
func (d discardHandler) WithGroup(string) slog.Handler           { return d }
