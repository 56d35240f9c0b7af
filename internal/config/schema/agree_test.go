package schema

import (
	"bytes"
	"fmt"
	"io/fs"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"certdrift/internal/config"
	"certdrift/internal/target"
)

// beyond are texts that the loader refuses and a schema cannot: what hangs on other keys, on files, or on a bound that
// has no form. Everything else must be judged alike by both, so that an editor never marks what certdrift takes, and
// marks what it refuses.
func beyond() map[string]string {
	return map[string]string{
		"version: 1":             "nothing to watch hangs on three keys",
		"version: 1.0\n" + watch: "1.0 is 1 in JSON",
		"version: 1\nenvironments: {p: {endpoints: [{name: \"a\\u202e\", url: https://a.org}]}}": "what can be seen is Unicode's to say",
		ca("nope.pem"):                                                  "files are not seen",
		policy("expiry: {warning: 5%}"):                                 "the default is not known",
		policy("expiry: {warning: 10%, critical: 10%}"):                 "one key's bound is another's value",
		policy("expiry: {warning: 1d, critical: 2d}"):                   "one key's bound is another's value",
		policy("remind: 400d"):                                          "a bound of time",
		endpoint("timeout: 1h"):                                         "a bound of time",
		endpoint("timeout: 5m1s"):                                       "a bound of time",
		endpoint("expect: {body_matches: '('}"):                         "RE2 is not ECMA 262",
		endpoint("request: {headers: {A: x, a: y}}"):                    "keys that differ in case",
		endpoint("request: {method: HEAD}, expect: {body_contains: x}"): "two keys far apart",
		top("defaults: {ehlo_name: 192.0.2.1}"):                         "an address is a name in form",
		top("defaults: {ehlo_name: '[192.0.2.300]'}"):                   "a number that is no address",
		top("defaults: {ehlo_name: '[IPv6:192.0.2.1]'}"):                "an address of another family",
		url("https://256.1.1.1/"):                                       "a number that is no address",
		url("https://2130706433/"):                                      "a number that is no address",
		url("https://a..b.org/"):                                        "names have a grammar of their own",
		url("https://a.org:65536/"):                                     "a bound within a text",
		url("'https://a.org/%zz'"):                                      "percent-encoding",
		top("networks: {allow: [10.0.0.1/8]}"):                          "bits are compared",
		top("networks: {allow: [127.0.0.0/8]}"):                         "networks are compared",
		top("networks: {allow: [8.8.8.0/24]}"):                          "networks are compared",
		top("networks: {allow: [0.0.0.0/0]}"):                           "networks are compared",
		top("networks: {allow: ['::/0']}"):                              "networks are compared",
		top("networks: {allow: ['fe80::/10']}"):                         "networks are compared",
		"version: 1\nenvironments: {p: {endpoints: [{name: a, url: https://a.org}, {name: a, url: https://b.org}]}}": "names are compared",
		silence("match: {code: htp-*}, until: 2027-01-01"):                                                           "patterns are held against the codes",
		silence("match: {environment: q}, until: 2027-01-01"):                                                        "names are compared",
		silence("match: {endpoint: 'a['}, until: 2027-01-01"):                                                        "patterns have a grammar of their own",
		silence("match: {code: '*'}, until: 2027-13-01"):                                                             "a calendar",
		silence("match: {code: '*'}, from: 2027-01-02, until: 2027-01-01"):                                           "two keys are compared",
		silence("match: {code: '*'}, weekly: {from: '02:00', to: '04:00', timezone: Mars}"):                          "time zones are looked up",
	}
}

const watch = "environments: {p: {endpoints: [{name: a, url: https://a.example.org/}]}}\n"

func top(more string) string    { return "version: 1\n" + watch + more }
func policy(more string) string { return top("policy: {" + more + "}") }
func ca(file string) string     { return top("trust: {ca_files: [" + file + "]}") }
func url(u string) string {
	return "version: 1\nenvironments: {p: {endpoints: [{name: a, url: " + u + "}]}}"
}
func endpoint(more string) string {
	return "version: 1\nenvironments: {p: {endpoints: [{name: a, url: https://a.org, " + more + "}]}}"
}
func silence(more string) string { return top("silences: [{" + more + ", reason: x}]") }

// each fills %s with each of the values.
func each(make func(string) string, form string, values ...string) (all []string) {
	for _, v := range values {
		all = append(all, make(strings.ReplaceAll(form, "%s", v)))
	}
	return all
}

// texts are configurations, good and bad, around every key.
func texts() (all []string) {
	add := func(more ...string) { all = append(all, more...) }
	durations := []string{"10s", "0s", "-1s", "10", "ten", "1.5s", "''", "10 s", "100ms", "1us", "1µs", "1μs", "5ns", "10S", "1e3s", ".5s", "5.s", "+5s", "[5s]", "{a: b}", "true", "1m30s", "1_0s", "1..5s", ".s", "0.0s", "s", "'10s '", "1s1s"}
	spans := append([]string{"1d", "1.5d", "1w", "1w2d", "1d1w", "1d12h", "1h1d", "1w1w", "0d", "0w0d", "-1d", "1d 2h", "1D"}, durations...)
	add(watch, "version: 2\n"+watch, "version: '1'\n"+watch, "version: true\n"+watch, "version:\n"+watch, "version: 1\n"+watch, "[]", "text", "5")
	add(top("polcy: {}"), top("Policy: {}"), top("policy: []"), top("policy: 5"), top("policy:"), top("trust:"), top("defaults:"), top("manifests:"), top("silences:"), top("metrics:"), top("load_balancers:"), top("certificates:"), top("heartbeat_url:"))
	add("version: 1\nenvironments: []", "version: 1\nenvironments: {p: }", "version: 1\nenvironments: {p: []}", "version: 1\nenvironments: {p: {endpoints: {}}}", "version: 1\nenvironments: {p: {endpoints: [5]}}", "version: 1\nenvironments: {p: {endpoints: [null]}}", "version: 1\nenvironments: {p: {endpoint: []}}", "version: 1\nenvironments: {'': {endpoints: [{name: a, url: https://a.org}]}}", "version: 1\nenvironments: {' p': {endpoints: [{name: a, url: https://a.org}]}}", "version: 1\nenvironments: {p: {endpoints: [{name: a, url: https://a.org}]}, q: {endpoints: []}}", "version: 1\nenvironments: {p: {endpoints: [{name: a, url: https://a.org}]}, q: {endpoints: }}")
	add("version: 1\nenvironments: {p: {endpoints: [{url: https://a.org}]}}", "version: 1\nenvironments: {p: {endpoints: [{name: a}]}}")
	for _, name := range []string{"''", "5", "true", "' a'", "'a '", "\"a\\nb\"", "\"a\\x1bb\"", "a/b", "Zürich", "'a b'", strings.Repeat("a", 200), strings.Repeat("a", 201), "null", "[a]"} {
		add("version: 1\nenvironments: {p: {endpoints: [{name: " + name + ", url: https://a.org}]}}")
	}
	add(each(policy, "remind: %s", spans...)...)
	add(each(policy, "settle: %s", "2m", "0s", "1h")...)
	add(each(policy, "expiry: {warning: %s, critical: 0.1%}", "25%", "0%", "100%", "101%", "-1%", "25 %", "25%%", "0.5%", "25", "0.25", "NaN%", "1e1%", "99.9%", "'25% '", "+25%", "2_5%", "0.0%", "00.5%", "1.2.3%", ".5%", "5.%", "'%'", "099%", "100.0%", "99.", "null")...)
	add(each(policy, "expiry: {warning: %s, critical: 1ns}", spans...)...)
	for _, count := range []string{"confirm", "recover", "storm_after", "sms_per_hour"} {
		add(each(policy, count+": %s", "0", "-1", "1", "100", "1001", "1.5", "'2'", "null", "[]")...)
	}
	add(each(policy, "revocation: %s", "staple", "full", "off", "on", "Full", "''", "false")...)
	add(each(top, "trust: {roots: %s}", "mozilla", "system", "windows", "[mozilla]", "''")...)
	add(top("trust: {ca_files: ca.pem}"), top("trust: {ca_files: ['']}"), top("trust: {ca_files: []}"), top("trust: {ca_files: }"), top("trust: {ca_files: [5]}"))
	add(each(top, "defaults: {timeout: %s}", "10s", "0s", "5")...)
	add(each(url, "%s", "https://a.example.org", "HTTPS://A.example.org", "https://a.example.org:443/", "https://", "https:///x", "a.example.org", "//a.org", "ftp://a.org", "htps://a.org", "https:a.org", "'https://a b.org/'", "https://münchen.example", "https://a.org.", "https://a_b.org", "'https://[::1]:8443/'", "https://1.2.3.4/", "'https://a.org/#frag'", "'https://a.org/\\x'", "https://user:pw@a.org/", "'https://user:p w@a.org/'", "tls://a.org:443", "tls://a.org:443/", "tls://a.org", "tls://a.org:443/x", "tls://u:p@a.org:443", "'tls://[::1]:5'", "'tls://[::1]'", "smtp://a.org", "smtp://a.org:25", "smtp://u@a.org", "imap://a.org:143/", "pop3://a.org", "postgres://a.org", "postgres://a.org/db", "'postgres://a.org?x'", "smtps://a.org", "wss://a.org", "http://a.org", "'https://a.org?x=1'", "https://"+strings.Repeat("x", 60)+".org/"+strings.Repeat("x", 2000), "''", "5", "[https://a.org]")...)
	for _, scheme := range target.Schemes() {
		add(each(url, scheme+"%s", "://a.org", "://a.org:1", "://a.org:1/", "://a.org:1/x", "://u:p@a.org:1", ":a.org:1", "://a.org:1, ehlo_name: b.org")...)
		add(url(strings.ToUpper(scheme) + "://a.org:1"))
	}
	names := []string{"b.org", "b", "B.org.", "'[192.0.2.1]'", "'[IPv6:2001:db8::1]'", "'[ipv6:2001:DB8::1]'", "'[2001:db8::1]'", "'[b.org]'", "'[192.0.2.1'", "'b.org:25'", "'b org'", "b/c", "u@b.org", "''", "null", "5", "[b.org]"}
	add(each(url, "smtp://a.org, ehlo_name: %s", names...)...)
	add(each(top, "defaults: {ehlo_name: %s}", names...)...)
	add(each(endpoint, "timeout: %s", durations...)...)
	add(each(endpoint, "expect: %s", "{}", "[]", "5", "null", "{status: 200}", "{status: []}", "{status: [99]}", "{status: [100]}", "{status: [599]}", "{status: [600]}", "{status: ['200']}", "{status: [2xx]}", "{status: [null]}", "{status: }", "{body_contains: ''}", "{body_contains: 5}", "{body_contains: x}", "{body_contains: }", "{body_matches: ''}", "{body_matches: '^x$'}", "{max_latency: 0s}", "{max_latency: 2s}", "{max_size: 0}", "{max_size: 5}", "{max_size: '5'}", "{max_size: 64KiB}", "{max_size: 64 KiB}", "{max_size: 64 kb}", "{max_size: 64kB}", "{max_size: 1TB}", "{max_size: -5}", "{max_size: 1.5MB}", "{max_size: 0MB}", "{max_size: 007MB}", "{max_size: true}", "{max_size: '5 '}", "{body_json: [{path: ''}]}", "{body_json: [{path: $.a}]}", "{body_json: [{path: $}]}", "{body_json: [{path: a.b}]}", "{body_json: [{path: '$.a[0][\"x y\"]'}]}", "{body_json: [{path: 'a[x]'}]}", "{body_json: [{path: 'a b'}]}", "{body_json: [{equals: 3}]}", "{body_json: {path: $.a}}", "{body_json: [{path: $.a, equals: 1.5}]}", "{body_json: [{path: $.a, equals: true}]}", "{body_json: [{path: $.a, equals: ''}]}", "{body_json: [{path: $.a, equals: [1]}]}", "{body_json: [{path: $.a, equals: null}]}", "{body_json: }", "{body_json: [null]}", "{headers: [{name: 'a b'}]}", "{headers: [{name: x-a}]}", "{headers: [{name: x-a, contains: y}]}", "{headers: [{name: x-a, contains: ''}]}", "{headers: {X: y}}", "{headers: [{contains: y}]}", "{headrs: []}", "{redirects: none}", "{redirects: None}", "{redirects: 0}", "{redirects: 10}", "{redirects: 11}", "{redirects: -1}", "{redirects: '3'}", "{redirects: '03'}", "{redirects: '11'}", "{redirects: ' 3'}", "{redirects: 1.5}", "{redirects: all}", "{redirects: true}", "{redirects: ''}", "{redirects: }", "{redirects: []}")...)
	add(each(endpoint, "request: %s", "{method: GET}", "{method: HEAD}", "{method: DELETE}", "{method: get}", "{headers: {Host: x}}", "{headers: {host: x}}", "{headers: {Content-Length: '5'}}", "{headers: {'a b': x}}", "{headers: {'': x}}", "{headers: {A: \"x\\ny\"}}", "{headers: {A: \"x\\ty\"}}", "{headers: {A: 5}}", "{headers: {A: ''}}", "{headers: {X-Token: 'Bearer x'}}", "{headers: [A]}", "{headers: }", "null", "[]")...)
	add(each(endpoint, "connect_to: %s", "['127.0.0.1:1']", "['127.0.0.1']", "['127.0.0.1:']", "['127.0.0.1:x']", "['127.0.0.1:123456']", "['::1:443']", "['[::1]:443']", "['[::1]']", "['https://a:443']", "['a.org:443']", "['a_b:1']", "[]", "['']", "[':443']", "a:1", "null", "[5]")...)
	arn := "arn:aws:acm:us-west-2:111122223333:certificate/0b7d2f3a-52c7-4f0e-9d1b-6a8f5a2f1c01"
	add(each(endpoint, "certificate: %s", "{}", "null", "foo", "[]", "{arn: foo}", "{arn: "+arn+"}", "{arn: 'arn:aws-cn:acm:cn-north-1:111122223333:certificate/x'}", "{arn: 'arn:aws-eusc:acm:eusc-de-east-1:111122223333:certificate/x'}", "{arn: 'arn:aws-:acm:us-west-2:111122223333:certificate/x'}", "{arn: 'arn:awscn:acm:us-west-2:111122223333:certificate/x'}", "{arn: 'arn:aws:iam::111122223333:server-certificate/a'}", "{arn: 'arn:aws:iam::111122223333:server-certificate/path/a'}", "{arn: 'arn:aws:iam::111122223333:role/a'}", "{arn: 'arn:aws:acm:us-west-2:111:certificate/x'}", "{arn: 'arn:aws:s3:::x'}", "{fingerprint_sha256: abc}", "{fingerprint_sha256: '"+strings.Repeat("ab", 32)+"'}", "{fingerprint_sha256: '"+strings.Repeat("AB:", 31)+"AB'}", "{fingerprint_sha256: 'SHA256 Fingerprint="+strings.Repeat("AB:", 31)+"AB'}", "{fingerprint_sha256: 'sha256:"+strings.Repeat("ab", 32)+"'}", "{fingerprint_sha256: '"+strings.Repeat("ab", 33)+"'}", "{fingerprint_sha256: '"+strings.Repeat("zz", 32)+"'}", "{issuer: ''}", "{issuer: CA}", "{issuer: 5}", "{isuer: CA}")...)
	add(each(endpoint, "load_balancer: %s", "{name: x}", "{port: 443}", "{name: 'arn:aws:x'}", "{name: a.b}", "{name: "+strings.Repeat("a", 32)+"}", "{name: "+strings.Repeat("a", 33)+"}", "{name: x, port: 0}", "{name: x, port: 65536}", "{name: x, port: '443'}", "{name: x, region: us-west-2a}", "{name: x, region: us-gov-west-1}", "{name: x, region: mars}", "x", "null")...)
	add(each(endpoint, "service: %s", "api", "a/b", "a/b/c", "production/api", "''", "5", "/a", "a/", "'a b/c'")...)
	add(each(endpoint, "per_endpoint_metrics: %s", "true", "false", "yes", "'true'", "null", "1")...)
	add(each(endpoint, "client_certificate: %s", "{cert_file: a}", "{}", "null", "a")...)
	for _, u := range []string{"tls://a.org:443", "smtp://a.org", "http://a.org", "HTTP://a.org", "https://a.org"} {
		for _, more := range []string{"expect: {status: [200]}", "request: {method: GET}", "certificate: {issuer: x}", "timeout: 1s", "ca_files: []", "expect: ", "expect: {}"} {
			add(url(u + ", " + more))
		}
	}
	add(each(silence, "match: %s, until: 2027-01-01", "{environment: p}", "{endpoint: a*}", "{code: 'http-*'}", "{}", "null", "{environment: ''}", "{env: p}", "[]", "p")...)
	add(each(silence, "match: {code: '*'}, until: %s", "2027-01-01", "2027-01-01T00:00:00Z", "2027-01-01T00:00:00+02:00", "2027-01-01T00:00:00.5Z", "2027-01-01T00:00Z", "2027-01-01T00:00:00", "'2027-01-01 00:00:00Z'", "tomorrow", "2027-1-1", "5", "''", "null", "2027-01-01t00:00:00z")...)
	add(silence("match: {code: '*'}"), silence("until: 2027-01-01"), top("silences: {}"), top("silences: [null]"), top("silences: [{match: {code: '*'}, until: 2027-01-01}]"), top("silences: [{match: {code: '*'}, until: 2027-01-01, reason: ''}]"))
	add(each(silence, "match: {code: '*'}, weekly: %s", "{from: '02:00', to: '04:00'}", "{from: '2:00', to: '4:05'}", "{from: '25:00', to: '04:00'}", "{from: '24:00', to: '04:00'}", "{from: '02:60', to: '04:00'}", "{from: '02:0', to: '04:00'}", "{from: '02:00'}", "{}", "null", "always", "{from: '02:00', to: '04:00', days: [sat]}", "{from: '02:00', to: '04:00', days: [SAT, Sunday, monday]}", "{from: '02:00', to: '04:00', days: [xyz]}", "{from: '02:00', to: '04:00', days: [satur]}", "{from: '02:00', to: '04:00', days: sat}", "{from: '02:00', to: '04:00', days: []}", "{from: '02:00', to: '04:00', timezone: Europe/Zurich}", "{from: '02:00', to: '04:00', timezone: ''}")...)
	add(each(top, "load_balancers: %s", "{}", "[]", "{regions: [us-west-2]}", "{regions: us-west-2}", "{regions: [mars]}", "{regions: ['']}", "{regions: }", "{tags: {a: b}}", "{tags: {a: 1}}", "{tags: {a: ''}}", "{tags: [a]}", "{tags: }", "{role_arns: ['arn:aws:iam::444455556666:role/x']}", "{role_arns: [{arn: 'arn:aws:iam::444455556666:role/x', external_id: y}]}", "{role_arns: [{arn: 'arn:aws:iam::444455556666:role/a/b/x'}]}", "{role_arns: [x]}", "{role_arns: ['arn:aws:iam::444455556666:user/x']}", "{role_arns: [{external_id: y}]}", "{role_arns: x}")...)
	add(each(top, "manifests: %s", "[a.yaml]", "a.yaml", "['']", "[]", "['s3://bucket/prefix/']", "[5]", "[null]")...)
	add(each(top, "networks: %s", "{}", "null", "[]", "10.0.0.0/8", "{allow: 10.0.0.0/8}", "{allow: []}", "{allow: }", "{allow: ['']}", "{allow: [null]}", "{allow: [5]}", "{allow: [10.0.0.0/8, 'fd12::/16', 172.16.0.0/12, 100.64.0.0/10, 198.19.0.0/16, 10.0.0.9/32]}", "{allow: [10.0.0.0]}", "{allow: [10.0.0.0/]}", "{allow: [10.0.0/8]}", "{allow: [10.0.0.0/8 ]}", "{allow: ['10.0.0.0/8 ']}", "{allow: ['10.0.0.0-10.1.0.0']}", "{allow: [intranet.example.org]}", "{allow: ['::ffff:10.0.0.0/104']}", "{allow: ['FD00::/8']}", "{allow: ['fe80::1%eth0/64']}", "{deny: [10.0.0.0/8]}")...)
	add(each(top, "certificates: %s", "[]", "[{arn: x, file: y}]", "[{file: y}]", "[{arn: "+arn+"}]", "[null]")...)
	add(each(top, "heartbeat_url: %s", "https://a.org/x", "http://a.org", "ftp://a.org", "tls://a.org:1", "''", "5", "a.org")...)
	add(each(top, "metrics: %s", "{per_endpoint: true}", "{per_certificate: no}", "true", "{per_endpoint: null}")...)
	for text := range beyond() {
		add(text)
	}
	return all
}

// TestSchemaAgreesWithTheLoader holds the schema against what certdrift itself says of the same texts.
func TestSchemaAgreesWithTheLoader(t *testing.T) {
	compiled := compile(t)
	excused := beyond()
	none := func(string) ([]byte, error) { return nil, fs.ErrNotExist }
	for _, text := range texts() {
		_, diagnostics := config.Load([]byte(text), config.Options{File: "certdrift.yaml", ReadFile: none})
		marks := validate(t, compiled, text)
		reason, beyondIt := excused[text]
		switch {
		case beyondIt && (len(diagnostics) == 0 || marks != nil):
			t.Errorf("no longer beyond a schema (%s): %s\nfaults %v\nmarks %v", reason, text, diagnostics, marks)
		case !beyondIt && len(diagnostics) == 0 && marks != nil:
			t.Errorf("the loader takes it, the schema does not: %s\n%v", text, marks)
		case !beyondIt && len(diagnostics) > 0 && marks == nil:
			t.Errorf("the schema takes it, the loader does not: %s\n%s", text, diagnostics[0].Message)
		}
	}
}

func validate(t *testing.T, compiled *jsonschema.Schema, text string) error {
	t.Helper()
	asJSON, err := yaml.YAMLToJSON([]byte(text))
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(asJSON))
	if err != nil {
		return fmt.Errorf("reading it as JSON: %w", err) // a mapping without JSON's keys
	}
	return compiled.Validate(value)
}
