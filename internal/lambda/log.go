package lambda

import (
	"context"
	"encoding/json"
	"log/slog"
	"strings"

	"certdrift/internal/finding"
)

// The bounds of what is logged and answered, in characters. CloudWatch Logs takes events of up to 1 MB since April 2025, of 256 KB
// before, and readers of log groups still cut there; a character takes six bytes at most, as an escape in JSON.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html
const (
	maxValue  = 4 << 10
	maxRecord = 16 << 10
	// maxError is how much of an error a function answers with.
	maxError = 4 << 10
)

// Bounded returns a handler that bounds every record, however many endpoints failed and whatever servers and AWS said, and escapes
// what a terminal or a log viewer would act on.
func Bounded(next slog.Handler) slog.Handler { return bounded{next} }

type bounded struct{ slog.Handler }

// Handle implements slog.Handler.
func (b bounded) Handle(ctx context.Context, r slog.Record) error {
	room := maxRecord
	out := slog.NewRecord(r.Time, r.Level, cutText(r.Message, &room), r.PC)
	r.Attrs(func(a slog.Attr) bool {
		out.AddAttrs(slog.Attr{Key: cutText(a.Key, &room), Value: cutValue(a.Value, &room)})
		return room > 0
	})
	return b.Handler.Handle(ctx, out)
}

// WithAttrs implements slog.Handler.
func (b bounded) WithAttrs(attrs []slog.Attr) slog.Handler {
	room := maxRecord
	cut := make([]slog.Attr, len(attrs))
	for i, a := range attrs {
		cut[i] = slog.Attr{Key: cutText(a.Key, &room), Value: cutValue(a.Value, &room)}
	}
	return bounded{b.Handler.WithAttrs(cut)}
}

// WithGroup implements slog.Handler.
func (b bounded) WithGroup(name string) slog.Handler { return bounded{b.Handler.WithGroup(name)} }

// cutText cleans a text and cuts it to what room is left in its record.
func cutText(text string, room *int) string {
	text = oneLine(text, max(0, min(maxValue, *room)))
	*room -= len(text)
	return text
}

// oneLine cleans a text and cuts it. The lines of a joined error become parts of a sentence.
func oneLine(text string, limit int) string {
	text = text[:min(len(text), 4*limit)] // UTF-8 takes four bytes at most
	return finding.Clean(strings.ReplaceAll(text, "\n", "; "), limit)
}

func cutValue(value slog.Value, room *int) slog.Value {
	switch value = value.Resolve(); value.Kind() {
	case slog.KindString:
		return slog.StringValue(cutText(value.String(), room))
	case slog.KindGroup:
		var all []slog.Attr
		for _, a := range value.Group() {
			all = append(all, slog.Attr{Key: cutText(a.Key, room), Value: cutValue(a.Value, room)})
		}
		return slog.GroupValue(all...)
	case slog.KindAny:
		return cutAny(value, room)
	}
	*room -= 32 // numbers, times and the like
	return value
}

// cutAny leaves values as they are that are small: queries of the logs read them as JSON. Others become a text.
func cutAny(value slog.Value, room *int) slog.Value {
	if err, ok := value.Any().(error); ok {
		return slog.StringValue(cutText(err.Error(), room))
	}
	encoded, err := json.Marshal(value.Any())
	if err != nil {
		return slog.StringValue(cutText(err.Error(), room))
	}
	text := string(encoded)
	if len(text) > min(maxValue, *room) || oneLine(text, maxValue) != text {
		return slog.StringValue(cutText(text, room))
	}
	*room -= len(text)
	return value
}

// answered returns an error whose text is bounded, for Lambda's answer; nil for nil.
func answered(err error) error {
	if err == nil || len(err.Error()) <= maxError && oneLine(err.Error(), maxError) == err.Error() {
		return err
	}
	return &cutError{oneLine(err.Error(), maxError), err}
}

type cutError struct {
	text string
	err  error
}

func (e *cutError) Error() string { return e.text }
func (e *cutError) Unwrap() error { return e.err }
