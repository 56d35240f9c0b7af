package finding

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// QuoteLimit is the number of characters of a remote text that a finding shows.
const QuoteLimit = 200

// Clean makes a remote text safe to show anywhere (terminal, email, log, page): control characters, invalid UTF-8,
// bidirectional controls and other invisible runes are escaped as \xNN or \u{NNNN}, and a text longer than limit
// characters is truncated with "…". The start of a command to a build server is escaped, too: GitHub's and Azure's agents
// execute "##[error]" and "##vso[task.setvariable …]" anywhere in a log line.
func Clean(remote string, limit int) string {
	if len(remote) <= limit && !strings.ContainsFunc(remote, func(r rune) bool { return r < 0x20 || r >= 0x7f || r == '#' }) {
		return remote // as almost all are
	}
	var b strings.Builder
	count := 0
	for i := 0; i < len(remote); {
		r, size := utf8.DecodeRuneInString(remote[i:])
		if count >= limit {
			b.WriteString("…")
			break
		}
		count++
		switch {
		case r == utf8.RuneError && size == 1:
			writeHex(&b, `\x`, rune(remote[i]), 2, "")
		case r < 0x20 || r == 0x7f, r == '#' && commands(remote, i):
			writeHex(&b, `\x`, r, 2, "")
		case !unicode.IsPrint(r):
			writeHex(&b, `\u{`, r, 4, "}")
		default:
			b.WriteRune(r)
		}
		i += size
	}
	return b.String()
}

// commands reports whether the "#" at i is the second one of a build server's command: letters and a bracket follow.
func commands(s string, i int) bool {
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	return i > 0 && s[i-1] == '#' && strings.HasPrefix(strings.TrimLeft(s[i+1:], letters), "[")
}

// Quote returns the result of Clean in double quotes, at most QuoteLimit characters long, with quotes and backslashes
// escaped.
func Quote(remote string) string {
	escaped := remote[:min(len(remote), 8*QuoteLimit)]
	if strings.ContainsAny(escaped, `\"`) {
		escaped = strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(escaped)
	}
	return `"` + Clean(escaped, QuoteLimit) + `"`
}

func writeHex(b *strings.Builder, open string, r rune, width int, end string) {
	const digits = "0123456789abcdef"
	var buf [8]byte
	n := len(buf)
	for r > 0 || len(buf)-n < width {
		n--
		buf[n] = digits[r&0xf]
		r >>= 4
	}
	b.WriteString(open)
	b.Write(buf[n:])
	b.WriteString(end)
}
