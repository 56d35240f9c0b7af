package target

import "encoding/json"

// Secret is a string that must not be seen: it prints, logs and marshals as "[secret]". Reveal returns the value; a search
// for its callers finds everywhere a secret goes.
type Secret string

const redacted = "[secret]"

// Reveal returns the value itself.
func (s Secret) Reveal() string { return string(s) }

// String implements fmt.Stringer without the value.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return redacted
}

// GoString implements fmt.GoStringer without the value.
func (s Secret) GoString() string { return `"` + s.String() + `"` }

// MarshalJSON writes the placeholder.
func (s Secret) MarshalJSON() ([]byte, error) { return json.Marshal(s.String()) }
