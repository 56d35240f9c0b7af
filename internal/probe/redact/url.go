package redact

import (
	"strings"

	"certdrift/internal/target"
)

// URL hides what may be secret in a URL, or in a text that contains one: the credentials, and the values of the query and of a
// fragment like one, in which tokens are handed over. Names stay.
func URL(text string) string {
	text, fragment, found := strings.Cut(withoutUserinfo(text), "#")
	if found {
		fragment = "#" + Query(fragment)
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

// Query hides the values of a query.
func Query(query string) string {
	pairs := strings.Split(query, "&")
	for i, pair := range pairs {
		end := strings.IndexByte(pair, '=')
		if end < 0 { // some encode the whole
			end = strings.Index(strings.ToLower(pair), "%3d")
		}
		if end >= 0 {
			pairs[i] = pair[:end] + "=" + target.Secret(strings.TrimLeft(pair[end:], "=")).String()
		}
	}
	return strings.Join(pairs, "&")
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
