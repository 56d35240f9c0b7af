package certtest

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// Secrets has one secret for each place where a configuration or a server can have one, so that a leak names its place.
type Secrets map[string]string

// core begins each secret; encodings of single characters leave it as it is.
const core = "Zq7"

// NewSecrets returns secrets with characters that every encoding escapes, and short ones.
func NewSecrets() Secrets {
	s := Secrets{}
	for _, place := range []string{
		"user", "password", "query", "query2", "barequery", "fragment", "header", "bearer", "cookie", "heartbeat", "heartbeatpath", "externalid",
		"location", "wrongurl", "connectto", "key",
	} {
		s[place] = core + place + "/k+9é%&<"
	}
	s["shortheader"], s["shortquery"] = "§7x", "§8y"
	return s
}

// LeakedIn returns the places whose secrets an output shows, in any encoding.
func (s Secrets) LeakedIn(output string) (places []string) {
	lower := strings.ToLower(output)
	for place, secret := range s {
		forms := []string{secret, hex.EncodeToString([]byte(secret)), url.QueryEscape(secret)}
		if strings.HasPrefix(secret, core) {
			forms = append(forms, core+place)
		}
		for _, encoding := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
			forms = append(forms, encoding.EncodeToString([]byte(secret)))
		}
		if slices.ContainsFunc(forms, func(f string) bool { return strings.Contains(lower, strings.ToLower(f)) }) {
			places = append(places, place)
		}
	}
	slices.Sort(places)
	return places
}

// Configuration returns a configuration with a secret in each place, for a server that echoes what it is sent in every way that
// findings show.
func (s Secrets) Configuration(t testing.TB) string {
	t.Helper()
	address, raw := s.echoes(t), s.echoesRaw(t)
	var b strings.Builder
	b.WriteString("version: 1\npolicy: {confirm: 1}\nenvironments:\n  production:\n    endpoints:\n")
	query := url.Values{"token": {s["query"]}, "sig": {s["query2"]}, "pin": {s["shortquery"]}}.Encode() + "&" + url.QueryEscape(s["barequery"])
	user := url.UserPassword(s["user"], s["password"]).String() + "@"
	add := func(name, credentials, at, path, more string) {
		headers := map[string]string{"X-Token": s["header"], "X-Pin": s["shortheader"], "Cookie": "session=" + s["cookie"]}
		if credentials == "" {
			headers["Authorization"] = "Bearer " + s["bearer"]
		}
		fmt.Fprintf(&b, "      - {name: %s, url: %s, request: {headers: %s}, expect: {body_contains: %s%s}}\n",
			name, quoted("http://"+credentials+at+path+"?"+query), quoted(headers), quoted("never"), more)
	}
	for i, path := range s.pages() {
		add(fmt.Sprintf("page-%d", i), user, address, path, "")
		add(fmt.Sprintf("bearer-%d", i), "", address, path, fmt.Sprintf(`, headers: [{name: X-Echo, contains: %s}], body_json: [{path: $.token, equals: %[1]s}]`, quoted("never")))
	}
	for _, path := range []string{"/status", "/header"} {
		add("raw-"+path[1:], user, raw, path, "")
	}
	fmt.Fprintf(&b, "heartbeat_url: %s\n", quoted("http://"+user+"127.0.0.1:1/"+url.PathEscape(s["heartbeatpath"])+"?token="+url.QueryEscape(s["heartbeat"])))
	return b.String()
}

func quoted(value any) string {
	text, _ := json.Marshal(value) // texts and maps of texts cannot fail
	return string(text)
}

// pages are the ways in which the server echoes, by path.
func (Secrets) pages() []string {
	pages := []string{"/redirect", "/loop", "/blocked", "/scheme", "/bad", "/relative"}
	for _, encoding := range []string{"raw", "percent", "nested", "path", "json", "html", "base64", "base64url", "hex"} {
		pages = append(pages, "/echo/"+encoding)
	}
	return pages
}

// received are the secrets in a request, as a server reads them.
func received(r *http.Request) []string {
	var all []string
	if user, password, ok := r.BasicAuth(); ok {
		all = append(all, user, password)
	}
	for name, values := range r.URL.Query() {
		switch {
		case name == "code": // the server's own
		case values[0] == "":
			all = append(all, name)
		default:
			all = append(all, values...)
		}
	}
	slices.Sort(all)
	if cookie, err := r.Cookie("session"); err == nil {
		all = append(all, cookie.Value)
	}
	return append(all, r.Header.Get("X-Token"), r.Header.Get("X-Pin"), strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "))
}

// encoded encodes a secret as a page of that name does.
func encoded(encoding, secret string) string {
	switch encoding {
	case "percent":
		return url.QueryEscape(secret)
	case "nested":
		return url.QueryEscape(url.QueryEscape(secret))
	case "path":
		return url.PathEscape(secret)
	case "json":
		return quoted(secret)
	case "html":
		return "<b>" + html.EscapeString(secret) + "</b>"
	case "base64":
		return base64.StdEncoding.EncodeToString([]byte(secret))
	case "base64url":
		return base64.RawURLEncoding.EncodeToString([]byte(secret))
	case "hex":
		return hex.EncodeToString([]byte(secret))
	}
	return secret
}

// echoes serves the pages. What it adds of its own to a location is a secret too: a code, a token.
func (s Secrets) echoes(t testing.TB) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		secrets := received(r)
		var escaped []string
		for _, secret := range secrets {
			escaped = append(escaped, url.QueryEscape(secret))
		}
		own := url.QueryEscape(s["location"])
		echo := "?code=" + own + "&echo=" + strings.Join(escaped, "&echo=") + "#access_token=" + own
		locations := map[string]string{
			"/redirect": "http://" + own + ":" + own + "@" + r.Host + "/end" + echo, "/blocked": "http://10.255.255.1/" + echo,
			"/scheme": "ftp://" + own + "@example.org/" + echo, "/bad": "http://[::1/" + echo, "/relative": echo,
			"/loop": "/loop" + strings.Replace(echo, "echo=", "n="+fmt.Sprint(len(r.URL.RawQuery))+"&echo=", 1),
		}
		if location := locations[r.URL.Path]; location != "" {
			w.Header().Set("Location", location)
			w.WriteHeader(http.StatusFound)
			return
		}
		encoding := strings.TrimPrefix(r.URL.Path, "/echo/")
		for i := range secrets {
			escaped[i] = encoded(encoding, secrets[i])
		}
		w.Header().Set("X-Echo", strings.Join(escaped, ", "))
		w.Header().Set("Server", escaped[0])
		w.WriteHeader(http.StatusInternalServerError)
		_, _ = io.WriteString(w, strings.Join(escaped, " "))
	}))
	t.Cleanup(server.Close)
	return server.Listener.Addr().String()
}

// echoesRaw serves responses that are not valid HTTP, with the whole request in them.
func (Secrets) echoesRaw(t testing.TB) string {
	t.Helper()
	return Serve(t, "127.0.0.1", func(c net.Conn) {
		request := make([]byte, 8<<10)
		n, _ := c.Read(request)
		flat := strings.NewReplacer("\r", " ", "\n", " ").Replace(string(request[:n]))
		if strings.HasPrefix(flat, "GET /status") {
			_, _ = io.WriteString(c, "HTTP/1.1 "+flat+"\r\n\r\n")
			return
		}
		_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\n"+flat+"\r\n\r\n")
	})
}

// Broken returns configurations with a secret in a place where there is an error, by what is wrong.
func (s Secrets) Broken() map[string]string {
	endpoint := func(keys string) string {
		return "version: 1\nenvironments:\n  production:\n    endpoints:\n      - {name: api, " + keys + "}\n"
	}
	wrong := s["wrongurl"]
	good := `url: "https://example.org/"`
	broken := map[string]string{
		"fragment":          endpoint("url: " + quoted("https://example.org/#"+s["fragment"])),
		"escape":            endpoint("url: " + quoted("https://example.org/%zz?token="+wrong)),
		"scheme":            endpoint("url: " + quoted("htps://u:"+wrong+"@example.org/?token="+wrong)),
		"a query alone":     endpoint("url: " + quoted("https://example.org:x/?"+wrong)),
		"no scheme":         endpoint("url: " + quoted("example.org/?token="+wrong)),
		"a secret scheme":   endpoint("url: " + quoted(wrong)),
		"host":              endpoint("url: " + quoted("https://u:"+url.QueryEscape(wrong)+"@exa_mple..org/?token="+url.QueryEscape(wrong))),
		"port":              endpoint("url: " + quoted("https://u:"+url.QueryEscape(wrong)+"@example.org:99999/")),
		"kind":              endpoint("url: " + quoted("tls://u:"+url.QueryEscape(wrong)+"@example.org:1/?x="+url.QueryEscape(wrong))),
		"space":             endpoint("url: " + quoted("https://example.org/ ?token="+wrong)),
		"a URL as a list":   endpoint("url: [" + quoted("https://example.org/?token="+wrong) + "]"),
		"connect_to":        endpoint(good + ", connect_to: [" + quoted("https://u:"+s["connectto"]+"@example.org/?token="+s["connectto"]) + "]"),
		"connect_to query":  endpoint(good + ", connect_to: [" + quoted("https://example.org/?token="+s["connectto"]) + "]"),
		"header name":       endpoint(good + ", request: {headers: {" + quoted("X Token") + ": " + quoted(s["header"]) + "}}"),
		"header value":      endpoint(good + ", request: {headers: {X-Token: " + quoted(s["header"]+"\n") + "}}"),
		"header twice":      endpoint(good + ", request: {headers: {X-Token: " + quoted(s["header"]) + ", x-token: " + quoted(s["header"]) + "}}"),
		"header as a list":  endpoint(good + ", request: {headers: [" + quoted("X-Token: "+s["header"]) + "]}"),
		"header as mapping": endpoint(good + ", request: {headers: {X-Token: {value: " + quoted(s["header"]) + "}}}"),
		"headers misplaced": endpoint(good + ", headers: {X-Token: " + quoted(s["header"]) + "}"),
		"client key":        endpoint(good + ", client_certificate: {cert_file: a.pem, key_file: " + quoted("-----BEGIN PRIVATE KEY-----"+s["key"]) + "}"),
		"external_id":       "version: 1\nload_balancers: {role_arns: [{arn: wrong, external_id: " + quoted(s["externalid"]) + "}]}\n",
		"external_id alone": "version: 1\nload_balancers: {role_arns: [{external_id: " + quoted(s["externalid"]) + "}]}\n",
		"external_id list":  "version: 1\nload_balancers: {role_arns: [{arn: \"arn:aws:iam::444455556666:role/x\", external_id: [" + quoted(s["externalid"]) + "]}]}\n",
		"heartbeat scheme":  endpoint(good) + "heartbeat_url: " + quoted("ftp://u:"+s["heartbeat"]+"@example.org/"+s["heartbeat"]) + "\n",
		"heartbeat as list": endpoint(good) + "heartbeat_url: [" + quoted("https://example.org/"+s["heartbeat"]) + "]\n",
		"heartbeat URL":     endpoint(good) + "heartbeat_url: " + quoted("https://example.org:x/"+s["heartbeat"]) + "\n",
		"heartbeat empty":   endpoint(good) + "heartbeat_url: https://u:" + s["heartbeat"] + "@ # x\n",
		"twice":             endpoint("url: " + quoted("https://example.org/?token="+wrong) + ", url: " + quoted("https://example.org/?token="+wrong)),
		"a quote too few":   endpoint(good) + "heartbeat_url: \"https://example.org/" + s["heartbeat"] + "\n",
		"a brace too many":  endpoint(good+", request: {headers: {X-Token: "+quoted(s["header"])+"}}}}") + "\n",
		"indented wrongly":  endpoint(good) + "   heartbeat_url: https://example.org/" + s["heartbeat"] + "\n",
		"a colon too many":  endpoint(good) + "heartbeat_url: https: //example.org/" + s["heartbeat"] + "\n",
		"a tab":             endpoint(good) + "heartbeat_url:\n\thttps://example.org/" + s["heartbeat"] + "\n",
		"the URL as a key":  endpoint(good) + quoted("https://u:"+wrong+"@example.org/?token="+wrong) + ": x\n",
		"an = for a colon":  endpoint(good) + "heartbeat_url=https://example.org/" + s["heartbeat"] + "\n",
		"a name":            "version: 1\nenvironments:\n  production:\n    endpoints:\n      - {url: " + quoted("https://u:"+url.QueryEscape(wrong)+"@example.org/?token="+url.QueryEscape(wrong)) + "}\n",
		"a file":            endpoint(good + ", ca_files: [" + quoted("https://u:"+wrong+"@example.org/ca.pem?token="+wrong) + "]"),
		"a manifest":        endpoint(good) + "manifests: [" + quoted("https://u:"+wrong+"@example.org/k8s?token="+wrong) + "]\n",
	}
	for _, sign := range []string{"*", "&", "!", "|", ">", "%", "@", "`", "{", "[", "]", "}", ",", "- ", "? ", ": ", "# ", "\"", "'"} {
		broken["a value that begins with "+sign] = endpoint(good) + "heartbeat_url: " + sign + core + "heartbeat\n"
		if sign != "," { // the rest is a key, and keys are no secrets
			broken["a header that begins with "+sign] = endpoint(good + ", request: {headers: {X-Token: " + sign + core + "header}}")
		}
	}
	return broken
}
