package comparison

import (
	"strings"

	"certdrift/internal/arn"
	"certdrift/internal/finding"
	"certdrift/internal/report"
)

// Title is what people call a certificate: its common name, else its first name.
func Title(c report.Certificate) string {
	switch {
	case c.Malformed != "":
		return "a certificate that cannot be parsed"
	case CommonName(c.Subject) != "":
		return CommonName(c.Subject)
	case len(c.Names) > 0:
		return c.Names[0]
	}
	return "a certificate without a name"
}

// CommonName is the CN of a distinguished name as RFC 4514 writes it; the whole where it has none.
func CommonName(dn string) string {
	for rest := dn; rest != ""; {
		var part string
		part, rest = cutUnescaped(rest)
		if name, ok := strings.CutPrefix(part, "CN="); ok {
			return strings.NewReplacer(`\\`, `\`, `\,`, `,`, `\+`, `+`, `\"`, `"`, `\;`, `;`, `\<`, `<`, `\>`, `>`, `\=`, `=`, `\#`, `#`, `\ `, ` `).Replace(name)
		}
	}
	return dn
}

// cutUnescaped cuts at the first comma or plus sign that no backslash escapes.
func cutUnescaped(s string) (before, after string) {
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case ',', '+':
			return s[:i], s[i+1:]
		}
	}
	return s, ""
}

// Short is a fingerprint as people compare it: its first bytes.
func Short(fingerprint string) string {
	return finding.Clean(fingerprint, 16)
}

// ShortARN leaves out what all ARNs share.
func ShortARN(text string) string { return Clean(arn.Short(text)) }

// Clean makes a name of the configuration's or of a cloud's safe to look at, as package report does with what servers send.
func Clean(text string) string { return finding.Clean(text, 300) }

func prefixed(prefix, text string) string {
	if text == "" {
		return ""
	}
	return prefix + text
}
