package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// WriteJSON writes the document of the contract, indented, with a newline at its end. Strings are escaped for HTML
// too (encoding/json's default), so that the document may stand in a page, and for a terminal.
func WriteJSON(w io.Writer, r Report) error {
	if err := EncodeJSON(w, r); err != nil {
		return fmt.Errorf("encoding the report: %w", err)
	}
	return nil
}

// EncodeJSON encodes a value with what is invisible (bidirectional controls, zero-width characters) as \uNNNN, and the
// second half of "##", which begins a build server's commands: outside of strings JSON has none of it, so the document
// says the same.
func EncodeJSON(w io.Writer, v any) error {
	raw, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	var b bytes.Buffer
	for len(raw) > 0 {
		r, size := utf8.DecodeRune(raw)
		switch {
		case r == '#' && bytes.HasSuffix(b.Bytes(), []byte("#")):
			b.WriteString(`\u0023`)
		case r == '\n' || r < utf8.RuneSelf && r >= 0x20 && r != 0x7f || unicode.IsPrint(r):
			b.Write(raw[:size])
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			fmt.Fprintf(&b, `\u%04x\u%04x`, high, low)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
		raw = raw[size:]
	}
	b.WriteByte('\n')
	_, err = b.WriteTo(w)
	return err
}
