package event

import (
	"encoding/json"
	"strings"
	"time"

	"certdrift/internal/finding"
)

const (
	maxItems = 200  // of anything that an event lists
	maxARN   = 2048 // characters of an ARN
	maxText  = 300  // characters of what a person reads
	maxWord  = 128  // characters of an identifier
)

// list is a JSON array, or nothing where there is something else: one odd field must not cost the whole event.
type list[T any] struct{ Items []T }

// UnmarshalJSON implements json.Unmarshaler; it never fails.
func (l *list[T]) UnmarshalJSON(data []byte) error {
	var items []json.RawMessage
	if json.Unmarshal(data, &items) != nil {
		items = nil // no list: nothing is in it
	}
	for _, raw := range items {
		var item T
		if json.Unmarshal(raw, &item) == nil && len(l.Items) < maxItems {
			l.Items = append(l.Items, item)
		}
	}
	return nil
}

// lenient is an object of a known shape, or its zero value where there is something else.
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

// text is safe to show to a person.
func text(s string) string { return finding.Clean(s[:min(len(s), 8*maxText)], maxText) }

// word is an identifier: printable ASCII without spaces, or nothing.
func word(s string) string {
	if len(s) > maxWord || strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return ""
	}
	return s
}

// arn is an ARN, or nothing.
func arn(s string) string {
	if len(s) > maxARN || !strings.HasPrefix(s, "arn:") || strings.Count(s, ":") < 5 ||
		strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return ""
	}
	return s
}

// certificateARN reports whether an ARN is an ACM certificate's or an IAM server certificate's.
func certificateARN(s string) bool {
	parts := strings.SplitN(arn(s), ":", 6)
	if len(parts) < 6 {
		return false
	}
	return parts[2] == "acm" && strings.HasPrefix(parts[5], "certificate/") ||
		parts[2] == "iam" && strings.HasPrefix(parts[5], "server-certificate/")
}

// account is twelve digits, or nothing.
func account(s string) string {
	if len(s) != 12 || strings.ContainsFunc(s, func(r rune) bool { return r < '0' || r > '9' }) {
		return ""
	}
	return s
}

// region is a region's name, or nothing.
func region(s string) string {
	if len(s) > 32 || strings.ContainsFunc(s, func(r rune) bool { return r != '-' && (r < 'a' || r > 'z') && (r < '0' || r > '9') }) {
		return ""
	}
	return s
}
