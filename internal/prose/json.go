package prose

import (
	"bytes"
	"fmt"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// VisibleJSON returns a JSON document that says the same and can be printed anywhere: what is invisible (bidirectional controls,
// zero-width characters, C1 controls) becomes \uNNNN, and so does the second half of "##", which begins a build server's
// commands. Outside of strings JSON has none of it.
func VisibleJSON(document []byte) []byte {
	var b bytes.Buffer
	b.Grow(len(document))
	for len(document) > 0 {
		if plain := plainASCII(document); plain > 0 {
			b.Write(document[:plain])
			document = document[plain:]
			continue
		}
		r, size := utf8.DecodeRune(document)
		switch {
		case r == '#' && bytes.HasSuffix(b.Bytes(), []byte("#")):
			b.WriteString(`\u0023`)
		case r == '\n' || unicode.IsPrint(r) && (r != utf8.RuneError || size > 1):
			b.Write(document[:size])
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			fmt.Fprintf(&b, `\u%04x\u%04x`, high, low)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
		document = document[size:]
	}
	return b.Bytes()
}

// plainASCII returns how many bytes at the start of a document can stay as they are: all but a few of most.
func plainASCII(document []byte) int {
	for i, c := range document {
		if c != '\n' && (c < ' ' || c >= 0x7f || c == '#') {
			return i
		}
	}
	return len(document)
}
