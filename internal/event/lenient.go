package event

import (
	"encoding/json"
	"strings"
	"time"

	"certdrift/internal/arn"
	"certdrift/internal/finding"
)

const (
	maxItems = 200  // of anything that an event lists
	maxARN   = 2048 // characters of an ARN
	maxText  = 300  // characters of what a person reads
	maxWord  = 128  // characters of an identifier
)

// list is a JSON array, or empty if the JSON is something else: one unexpected field must not invalidate the whole event.
type list[T any] struct{ Items []T }

// UnmarshalJSON implements json.Unmarshaler; it never fails.
func (l *list[T]) UnmarshalJSON(data []byte) error {
	var items []json.RawMessage
	if json.Unmarshal(data, &items) != nil {
		items = nil // not a list: it is empty
	}
	for _, raw := range items {
		var item T
		if json.Unmarshal(raw, &item) == nil && len(l.Items) < maxItems {
			l.Items = append(l.Items, item)
		}
	}
	return nil
}

// lenient is a value of a known type, or its zero value if the JSON is something else.
type lenient[T any] struct{ Value T }

// UnmarshalJSON implements json.Unmarshaler; it never fails.
func (l *lenient[T]) UnmarshalJSON(data []byte) error {
	var value T
	if json.Unmarshal(data, &value) == nil {
		l.Value = value
	}
	return nil
}

// lenientTime is an RFC 3339 time, or zero.
type lenientTime struct{ time.Time }

// UnmarshalJSON implements json.Unmarshaler; it never fails.
func (t *lenientTime) UnmarshalJSON(data []byte) error {
	var s string
	if json.Unmarshal(data, &s) == nil {
		if at, err := time.Parse(time.RFC3339, s); err == nil {
			t.Time = at.UTC()
		}
	}
	return nil
}

// text returns a text that is safe to show.
func text(s string) string { return finding.Clean(s[:min(len(s), 8*maxText)], maxText) }

// word returns an identifier of printable ASCII without spaces; anything else is empty.
func word(s string) string {
	if len(s) > maxWord || strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return ""
	}
	return s
}

// cleanARN returns an ARN of printable ASCII without spaces; anything else is empty.
func cleanARN(s string) string {
	if _, ok := arn.Split(s); !ok || len(s) > maxARN || strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return ""
	}
	return s
}

// certificateARN reports whether an ARN is of an ACM certificate or an IAM server certificate.
func certificateARN(s string) bool {
	a, ok := arn.Split(cleanARN(s))
	return ok && a.IsCertificate()
}

// account returns an account of twelve digits; anything else is empty.
func account(s string) string {
	if len(s) != 12 || strings.ContainsFunc(s, func(r rune) bool { return r < '0' || r > '9' }) {
		return ""
	}
	return s
}

// region returns the name of a region; anything else is empty.
func region(s string) string {
	if len(s) > 32 || strings.ContainsFunc(s, func(r rune) bool { return r != '-' && (r < 'a' || r > 'z') && (r < '0' || r > '9') }) {
		return ""
	}
	return s
}
