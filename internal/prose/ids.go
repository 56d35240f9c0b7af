package prose

import "strings"

// ShortenIDs cuts the UUIDs of ACM certificates outside of ARNs, for easier reading.
func ShortenIDs(text string) string {
	const kind, uuid = "certificate/", len("0b7d2f3a-52c7-4f0e-9d1b-6a8f5a2f1c01")
	var b strings.Builder
	for {
		at := strings.Index(text, kind)
		if at < 0 {
			return b.String() + text
		}
		b.WriteString(text[:at])
		text = text[at:]
		keep := len(kind)
		if len(text) >= keep+uuid && isUUID(text[keep:keep+uuid]) && (b.Len() == 0 || !strings.HasSuffix(b.String(), ":")) {
			b.WriteString(text[:keep+8] + "…")
			keep += uuid
		} else {
			b.WriteString(text[:keep])
		}
		text = text[keep:]
	}
}

func isUUID(text string) bool {
	for i, r := range text {
		dash := i == 8 || i == 13 || i == 18 || i == 23
		if dash != (r == '-') || !dash && !strings.ContainsRune("0123456789abcdef", r) {
			return false
		}
	}
	return true
}
