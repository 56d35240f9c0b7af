package alert

import "strings"

// latin are Latin letters with marks, and typographic signs, with what stands for them in ASCII.
var latin = [...]struct{ from, to string }{
	{"ÀÁÂÃÄÅĀĂĄǍ", "A"}, {"àáâãäåāăąǎ", "a"}, {"ÇĆĈĊČ", "C"}, {"çćĉċč", "c"}, {"ÐĎĐ", "D"}, {"ðďđ", "d"},
	{"ÈÉÊËĒĔĖĘĚ", "E"}, {"èéêëēĕėęě", "e"}, {"ĜĞĠĢ", "G"}, {"ĝğġģ", "g"}, {"ĤĦ", "H"}, {"ĥħ", "h"},
	{"ÌÍÎÏĨĪĬĮİ", "I"}, {"ìíîïĩīĭįı", "i"}, {"Ĵ", "J"}, {"ĵ", "j"}, {"Ķ", "K"}, {"ķ", "k"}, {"ĹĻĽĿŁ", "L"}, {"ĺļľŀł", "l"},
	{"ÑŃŅŇ", "N"}, {"ñńņň", "n"}, {"ÒÓÔÕÖØŌŎŐǑ", "O"}, {"òóôõöøōŏőǒ", "o"}, {"ŔŖŘ", "R"}, {"ŕŗř", "r"},
	{"ŚŜŞŠȘ", "S"}, {"śŝşšș", "s"}, {"ŢŤŦȚ", "T"}, {"ţťŧț", "t"}, {"ÙÚÛÜŨŪŬŮŰŲǓ", "U"}, {"ùúûüũūŭůűųǔ", "u"},
	{"Ŵ", "W"}, {"ŵ", "w"}, {"ÝŶŸ", "Y"}, {"ýŷÿ", "y"}, {"ŹŻŽ", "Z"}, {"źżž", "z"},
	{"ß", "ss"}, {"ẞ", "SS"}, {"Æ", "AE"}, {"æ", "ae"}, {"Œ", "OE"}, {"œ", "oe"}, {"Þ", "Th"}, {"þ", "th"},
	{"‐‑‒–—−", "-"}, {"‘’‚", "'"}, {"“”„", `"`}, {"…", "..."}, {"×", "x"}, {"\u00a0\u2009\u202f", " "},
}

// ascii writes a piece of a subject in what SNS takes there: printable ASCII. Latin letters lose their marks; a piece in
// another script is left out whole, since question marks name nobody.
func ascii(text string) string {
	var b strings.Builder
	for _, r := range text {
		if r >= 0x20 && r <= 0x7e {
			b.WriteRune(r)
			continue
		}
		if r >= 0x300 && r <= 0x36f { // a mark that is written after its emailWriter
			continue
		}
		plain := plainLatin(r)
		if plain == "" {
			return ""
		}
		b.WriteString(plain)
	}
	return b.String()
}

func plainLatin(r rune) string {
	for _, l := range latin {
		if strings.ContainsRune(l.from, r) {
			return l.to
		}
	}
	return ""
}
