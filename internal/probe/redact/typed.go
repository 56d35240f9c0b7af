package redact

import (
	"regexp"
	"strings"

	"certdrift/internal/target"
)

// Typed returns a Redactor for what may be secret in the arguments of a command: the credentials, query and fragment of any URL
// among them, with a scheme or without. The error about an argument may quote it, or a part of it, in any place.
func Typed(args []string) Redactor {
	scheme := regexp.MustCompile(`^([a-zA-Z][a-zA-Z0-9+.-]*:/+|https?:|//)`)
	var all Redactor
	for _, arg := range args {
		if strings.HasPrefix(arg, "-") { // --flag=URL
			_, arg, _ = strings.Cut(arg, "=")
		}
		var r target.Request
		if at := strings.LastIndexByte(arg, '@'); at >= 0 { // the last: a password may contain everything
			userinfo := arg[len(scheme.FindString(arg[:at])):at]
			user, password, found := strings.Cut(userinfo, ":")
			if found || len(userinfo) < at { // an email address has neither
				r.Username, r.Password = target.Secret(user), target.Secret(password)
			}
		}
		_, query, _ := strings.Cut(arg, "?")
		_, fragment, _ := strings.Cut(arg, "#")
		query, _, _ = strings.Cut(query, "#")
		r.Query = target.Secret(query + "&" + fragment)
		all.secrets = append(all.secrets, New(r).secrets...)
	}
	return all
}

// Message hides the secrets in a message.
func (r Redactor) Message(text string) string { return r.hide(text, false) }
