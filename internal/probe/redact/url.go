package redact

import (
	"iter"
	"strings"

	"certdrift/internal/target"
)

// URL hides what may be secret in a URL, or in a text that contains one: the credentials, and the values of the query and of a
// fragment like one, in which tokens are handed over. Names stay.
func URL(text string) string {
	text, fragment, found := strings.Cut(withoutUserinfo(text), "#")
	if found && strings.Contains(withoutEscape(fragment), "=") { // others name a section of a page
		fragment = Query(fragment)
	}
	if found {
		fragment = "#" + fragment
	}
	if before, query, found := strings.Cut(text, "?"); found {
		text = before + "?" + Query(query)
	}
	return text + fragment
}

// URLs cuts the URLs in a message short that are not the names of files: a message about a URL with an error in it cannot know what
// in it is secret.
func URLs(message string) string {
	var shown strings.Builder
	for {
		before, rest, found := strings.Cut(message, "://")
		shown.WriteString(before)
		if !found {
			return shown.String()
		}
		shown.WriteString("://")
		if strings.HasSuffix(before, "s3") || strings.HasSuffix(before, "ssm") {
			message = rest
			continue
		}
		shown.WriteString("…")
		end := 0
		for end < len(rest) && rest[end] != '"' { // a quote within the URL is escaped
			if rest[end] == '\\' {
				end++
			}
			end++
		}
		message = rest[min(end, len(rest)):]
	}
}

// Query hides the values of a query. A part without a name is a value: many a token is a query on its own.
func Query(query string) string {
	var shown []string
	for name, value := range parameters(query) {
		shown = append(shown, name+target.Secret(value).String())
	}
	return strings.Join(shown, "&")
}

// parameters are the parts of a query: each one's name with the equals sign, and its value.
func parameters(query string) iter.Seq2[string, string] {
	return func(yield func(name, value string) bool) {
		for part := range strings.SplitSeq(query, "&") {
			name, value, found := strings.Cut(withoutEscape(part), "=")
			if !found {
				name, value = "", part
			} else {
				name += "="
			}
			if !yield(name, strings.TrimLeft(value, "=")) {
				return
			}
		}
	}
}

// withoutEscape decodes the first equals sign of a part of a query: some encode the whole.
func withoutEscape(part string) string {
	if i := strings.Index(strings.ToLower(part), "%3d"); i >= 0 && !strings.Contains(part, "=") {
		return part[:i] + "=" + part[i+3:]
	}
	return part
}

// withoutUserinfo removes the credentials from every authority in a text that may be a URL or contain one.
func withoutUserinfo(text string) string {
	var shown strings.Builder
	for {
		before, rest, found := strings.Cut(text, "//")
		shown.WriteString(before)
		if !found {
			return shown.String()
		}
		shown.WriteString("//")
		authority := rest
		if end := strings.IndexAny(rest, "/?#"); end >= 0 {
			authority = rest[:end]
		}
		text = rest[strings.LastIndexByte(authority, '@')+1:]
	}
}
