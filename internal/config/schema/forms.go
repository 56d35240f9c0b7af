package schema

import (
	"strings"

	"github.com/invopop/jsonschema"

	"certdrift/internal/config"
	"certdrift/internal/target"
)

// The building blocks of patterns, in the syntax that RE2 and ECMA 262 share.
const (
	number   = `([0-9]+\.?[0-9]*|\.[0-9]+)`
	duration = `(` + number + `w)?(` + number + `d)?(` + number + `(ns|us|µs|μs|ms|s|m|h))*`
	share    = `0*[0-9]{0,2}(\.[0-9]*)? *%`
	region   = `[a-z]+(-[a-z]+)+-[0-9]+`
	arnStart = `^arn:aws(-[a-z]+)*:`
	label    = `[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?`
	name     = label + `(\.` + label + `)*`
	host     = `://[^\s\\#/?@]+`
	ehloName = `^(\[([iI][pP][vV]6:)?[0-9A-Fa-f:.]+\]|[^\s\\#/?@:\[\]]+)$`
	field    = "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$"
	visible  = `^[^\s\x00-\x1f\x7f]([^\x00-\x1f\x7f]*[^\s\x00-\x1f\x7f])?$`
)

// positive adds that a number must not be zero.
func positive(s *jsonschema.Schema) *jsonschema.Schema {
	s.AllOf = []*jsonschema.Schema{{Pattern: "[1-9]"}}
	return s
}

// anyCase returns a pattern for a word in upper or lower case.
func anyCase(word string) string {
	var b strings.Builder
	for _, r := range word {
		if lower, upper := strings.ToLower(string(r)), strings.ToUpper(string(r)); lower != upper {
			b.WriteString("[" + lower + upper + "]")
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

func anyOf(words ...string) string {
	for i := range words {
		words[i] = anyCase(words[i])
	}
	return "(" + strings.Join(words, "|") + ")"
}

// weekdays returns a pattern for the days, in full or as three letters.
func weekdays() string {
	days := []string{"monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"}
	for _, day := range days {
		days = append(days, day[:3])
	}
	return "^" + anyOf(days...) + "$"
}

// The forms of URLs. Web ones may have credentials, a path and a query; the others may not, and tls needs a port.
func webURL() string { return "^" + anyOf("https", "http") + `://[^\s\\#/?]+([/?][^\s\\#]*)?$` }
func otherURL() string {
	return "^(" + anyCase("tls") + host + ":[0-9]+|" + anyOf(strings.Split(target.StartTLSSchemes(" "), " ")...) + host + ")/?$"
}

// forms returns the patterns of texts by type and key. The loader checks more; TestSchemaAgreesWithTheLoader compares the two.
func forms() map[string]map[string]string {
	return map[string]map[string]string{
		"":                {"heartbeat_url": webURL()},
		"Endpoint":        {"name": visible, "url": strings.TrimSuffix(webURL(), "$") + "$|" + otherURL(), "connect_to": `^(\[[0-9A-Fa-f:.]+\]|[^:/\[\]\s]+):[0-9]{1,5}$`, "service": "^" + name + "/" + name + "$", "ehlo_name": ehloName},
		"Defaults":        {"ehlo_name": ehloName},
		"JSONValue":       {"path": config.JSONPath},
		"HeaderValue":     {"name": field},
		"Declared":        {"arn": certificateARN(), "fingerprint_sha256": "^(" + anyCase("sha256") + "( " + anyCase("fingerprint") + "=|[:=]))?([0-9A-Fa-f][: -]*){64}$"},
		"Certificate":     {"arn": certificateARN()},
		"LoadBalancerRef": {"name": "^[A-Za-z0-9-]{1,32}$", "region": "^" + region + "$"},
		"LoadBalancers":   {"regions": "^" + region + "$"},
		"Networks":        {"allow": `^([0-9]+(\.[0-9]+){3}/[0-9]{1,2}|[0-9A-Fa-f:]+/[0-9]{1,3})$`},
		"Role":            {"arn": roleARN()},
	}
}

func certificateARN() string {
	return arnStart + `(acm:` + region + `:[0-9]{12}:certificate/[a-z0-9-]+|iam::[0-9]{12}:server-certificate/([!-~]*/)?[!-.0-~]+)$`
}

func roleARN() string { return arnStart + `iam::[0-9]{12}:role/[!-~]+$` }
