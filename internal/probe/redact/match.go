package redact

import (
	"html"
	"iter"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// minPart is how many bytes of a secret at the end of a truncated text count as the secret.
const minPart = 3

// matchEncoded returns how many bytes at the start of a text represent a secret; 0 if it does not start with it. Both are in
// lower case, since hosts and schemes are. Each character may appear as it is or as an escape of a URL, JSON or HTML, in any
// mixture, and lines may be broken in between. If the text was truncated, at its end or before a "…", the first part of the
// secret counts too.
func matchEncoded(text, secret string, cut bool) int {
	if strings.HasPrefix(text, secret) { // also one that contains escapes itself
		return len(secret)
	}
	n := 0
	for times := range maxReadings { // %2525 is a % escaped twice, and %25 escaped once
		n = max(n, matchEscaped(text, secret, cut, times+1))
	}
	return n
}

// matchEscaped is matchEncoded for a text that is escaped so many times at most.
func matchEscaped(text, secret string, cut bool, times int) int {
	rest, want := text, secret
	for want != "" && rest != "" {
		n := nextChar(rest, &want, secret, times)
		if n == 0 {
			break
		}
		rest = rest[n:]
	}
	found := len(secret) - len(want)
	switch {
	case want == "", cut && rest == "" && found >= minPart, strings.HasPrefix(rest, "…") && found >= minPart:
		return len(text) - len(rest)
	case cut && halfEscape(rest) && found >= minPart:
		return len(text)
	}
	return 0
}

// isWord reports whether the part of a text that begins at start and has n bytes is a word of its own: no letter or digit stands
// before or after it, unless it belongs to an escape.
func isWord(text string, start, n int) bool {
	before, after := text[:start], text[start+n:]
	if r, _ := utf8.DecodeRuneInString(after); n == 0 || unicode.IsLetter(r) || unicode.IsDigit(r) {
		return false
	}
	if r, _ := utf8.DecodeLastRuneInString(before); !unicode.IsLetter(r) && !unicode.IsDigit(r) {
		return true
	}
	for back := 2; back <= min(maxEscape, len(before)); back++ { // %3d, \n, \u003d, %253d
		for _, size := range readings(before[len(before)-back:], maxReadings) {
			if size == back {
				return true
			}
		}
	}
	return false
}

// nextChar removes the next character of a secret from want, and returns how many bytes of the text it takes; 0 if the text
// continues differently.
func nextChar(text string, want *string, secret string, times int) int {
	taken, size := 0, 0
	for char, n := range readings(text, times) {
		if strings.HasPrefix(*want, lower(char)) {
			taken, size = n, len(char)
		}
	}
	if taken > 0 {
		*want = (*want)[size:]
		return taken
	}
	if text[0] == (*want)[0] {
		*want = (*want)[1:]
		return 1
	}
	if len(*want) == len(secret) {
		return 0
	}
	if char, n := escaped(text); char == "\n" || char == "\r" {
		return n
	}
	return lineBreak(text)
}

// firstBytes returns the bytes with which what a text represents may begin.
func firstBytes(text string) string {
	first := text[:1]
	for char := range readings(text, maxReadings) {
		first += lower(char[:1])
	}
	return first
}

// maxReadings bounds how often a character may be escaped anew.
const maxReadings = 4

// readings are the characters that the start of a text escaped so many times may stand for, each with how many bytes it takes: the
// one that is escaped there, and where that begins an escape itself, as a URL's in another URL (%252F) or JSON's in JSON (\\u002f),
// what this stands for.
func readings(text string, times int) iter.Seq2[string, int] {
	return func(yield func(string, int) bool) {
		char, n := escaped(text)
		for range times {
			if n == 0 || !yield(char, n) || char != "%" && char != "&" && char != `\` {
				return
			}
			inner, size := escaped(char + text[n:min(len(text), n+maxEscape)])
			if size == 0 {
				return
			}
			char, n = inner, n+size-1
		}
	}
}

// lower returns a text with ASCII letters in lower case, byte for byte.
func lower(s string) string {
	b := []byte(s)
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}

// lineBreak returns how many bytes a line break takes, including the whitespace of a folded line.
func lineBreak(s string) int {
	after := strings.TrimLeft(s, "\r\n")
	if len(after) == len(s) {
		return 0
	}
	return len(s) - len(strings.TrimLeft(after, " \t"))
}

// maxEscape is the longest escape in bytes: a surrogate pair in JSON.
const maxEscape = 12

// halfEscape reports whether a truncated text ends within an escape.
func halfEscape(s string) bool {
	return s != "" && len(s) < maxEscape && (s[0] == '%' || s[0] == '\\' || s[0] == '&')
}

// escaped reads one escaped character: %2F and + (a space in forms), \u002f and \/, &#47; and &amp;. n is 0 if the text does
// not start with one.
func escaped(s string) (char string, n int) {
	switch s[0] {
	case '+':
		return " ", 1
	case '%':
		if code, ok := hexadecimal(s[1:], 2); ok {
			return string([]byte{byte(code)}), 3 //nolint:gosec // two digits
		}
	case '\\':
		return backslashed(s)
	case '&':
		if end := strings.IndexByte(s[:min(len(s), maxEscape)], ';'); end > 0 {
			if char = html.UnescapeString(s[:end+1]); char != s[:end+1] {
				return char, end + 1
			}
		}
	}
	return "", 0
}

// backslashed reads an escape of a JSON string (RFC 8259 §7).
func backslashed(s string) (char string, n int) {
	if len(s) < 2 {
		return "", 0
	}
	switch s[1] {
	case 'n':
		return "\n", 2
	case 'r':
		return "\r", 2
	case 't':
		return "\t", 2
	case 'u':
		code, ok := hexadecimal(s[2:], 4)
		if !ok {
			return "", 0
		}
		if utf16.IsSurrogate(code) && len(s) >= maxEscape {
			low, _ := hexadecimal(s[8:], 4)
			return string(utf16.DecodeRune(code, low)), maxEscape
		}
		return string(code), 6
	}
	_, size := utf8.DecodeRuneInString(s[1:])
	return s[1 : 1+size], 1 + size
}

func hexadecimal(s string, digits int) (rune, bool) {
	if len(s) < digits {
		return 0, false
	}
	code, err := strconv.ParseUint(s[:digits], 16, 32)
	return rune(code), err == nil //nolint:gosec // four digits at most
}
