package cli

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"

	"certdrift/internal/lambda"
)

// log is where the product's parts say what went wrong on the way: in lines like the command's own.
func (a *App) log() *slog.Logger { return slog.New(lambda.Bounded(&logLines{w: a.Stderr})) }

// logLines writes warnings and errors as sentences for people.
type logLines struct {
	w     io.Writer
	attrs []slog.Attr
}

// Enabled implements slog.Handler.
func (h *logLines) Enabled(_ context.Context, level slog.Level) bool { return level >= slog.LevelWarn }

// Handle implements slog.Handler.
func (h *logLines) Handle(_ context.Context, r slog.Record) error {
	reason, facts := "", []string{}
	add := func(a slog.Attr) bool {
		if a.Key == "error" {
			reason = ": " + a.Value.String()
		} else if !a.Equal(slog.Attr{}) {
			facts = append(facts, a.Key+" "+a.Value.String())
		}
		return true
	}
	for _, a := range h.attrs {
		add(a)
	}
	r.Attrs(add)
	line := r.Message + reason
	if len(facts) > 0 {
		line += " (" + strings.Join(facts, ", ") + ")"
	}
	_, err := fmt.Fprintln(h.w, "certdrift: "+clean(line))
	return err
}

// WithAttrs implements slog.Handler.
func (h *logLines) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &logLines{w: h.w, attrs: append(h.attrs[:len(h.attrs):len(h.attrs)], attrs...)}
}

// WithGroup implements slog.Handler; facts of a group stand beside the others.
func (h *logLines) WithGroup(string) slog.Handler { return h }
