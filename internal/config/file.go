package config

// File is certdrift.yaml as it is written. The decoder, the checks and the JSON Schema all go by these types: the yaml
// tag names the key, required and example in the jsonschema tag serve faults and schema alike, doc describes the key.
type File struct {
	Version       int                     `yaml:"version" jsonschema:"required,enum=1,example=1" doc:"The version of this file's format: 1."`
	Trust         Trust                   `yaml:"trust" doc:"What certificate chains are judged against."`
	Policy        Policy                  `yaml:"policy" doc:"When something is worth a finding or an alert."`
	Defaults      Defaults                `yaml:"defaults" doc:"What holds for every endpoint that does not say otherwise."`
	Environments  map[string]*Environment `yaml:"environments" doc:"The endpoints to watch, by environment."`
	LoadBalancers *LoadBalancers          `yaml:"load_balancers" doc:"The load balancers to walk, beyond those that endpoints name and beside the own account's."`
	Manifests     []string                `yaml:"manifests" doc:"Kubernetes manifests and Terraform JSON that declare certificates: files, directories, globs, or s3://bucket/prefix/."`
	Certificates  []Certificate           `yaml:"certificates" doc:"What an ARN holds, where AWS cannot be asked (certdrift plan --offline)."`
	Silences      []Silence               `yaml:"silences" doc:"Alerts that nobody wants, until a date or in weekly maintenance windows. What is silenced is still counted and shown."`
	Metrics       Metrics                 `yaml:"metrics" doc:"CloudWatch series beyond the fixed few per environment. Each costs money."`
	HeartbeatURL  string                  `yaml:"heartbeat_url" doc:"Called after every good round, one that saw all it should and could tell: a dead man's switch. http or https."`
}

// Trust is the trust store for all endpoints.
type Trust struct {
	Roots   string   `yaml:"roots" jsonschema:"enum=mozilla,enum=system,example=mozilla" doc:"mozilla (embedded in certdrift, the default) or system (this machine's own)."`
	CAFiles []string `yaml:"ca_files" doc:"Files with further trusted CAs, PEM or DER, beside this file."`
}

// Policy is the operator's thresholds.
type Policy struct {
	Expiry     Expiry   `yaml:"expiry" doc:"How much of a certificate's life may be left before cert-expiring."`
	Confirm    int      `yaml:"confirm" jsonschema:"minimum=1,maximum=100,example=2" doc:"Rounds in a row before an endpoint's incident opens (default 2). Drift and what is certain open at once."`
	Recover    int      `yaml:"recover" jsonschema:"minimum=1,maximum=100,example=2" doc:"Rounds in a row that must see nothing before an incident is over (default 2)."`
	Remind     Duration `yaml:"remind" doc:"How long after an alert its first reminder comes (default 24h); each later one comes after twice the time."`
	StormAfter int      `yaml:"storm_after" jsonschema:"minimum=1,maximum=1000,example=10" doc:"More notices of one kind than this in a round become one summary (default 10)."`
	SMSPerHour int      `yaml:"sms_per_hour" jsonschema:"minimum=1,maximum=1000,example=20" doc:"The most text messages in an hour (default 20), half of them for what is not critical; e-mail goes on."`
	Revocation string   `yaml:"revocation" jsonschema:"enum=staple,enum=full,enum=off,example=staple" doc:"staple (the stapled OCSP response only, the default), full (CRL and OCSP too) or off."`
	Settle     Duration `yaml:"settle" doc:"How long served may differ from attached after a known change of a listener (default 2m)."`
}

// Expiry is the two thresholds of cert-expiring.
type Expiry struct {
	Warning  Threshold `yaml:"warning" doc:"A share of the certificate's own lifetime (25%, the default) or a duration (21d)."`
	Critical Threshold `yaml:"critical" doc:"A share of the certificate's own lifetime (10%, the default) or a duration (7d)."`
}

// Defaults is what endpoints take where they say nothing.
type Defaults struct {
	Timeout Duration `yaml:"timeout" doc:"Bounds each phase of a probe: DNS, connect, TLS, first byte, body (default 10s)."`
	Expect  Expect   `yaml:"expect" doc:"What http and https endpoints must answer; an endpoint's own keys go first."`
}

// Environment is a group of endpoints that belong together, such as staging.
type Environment struct {
	Endpoints []Endpoint `yaml:"endpoints" jsonschema:"required" doc:"The endpoints, each with a name of its own."`
}

// Endpoint is one thing to probe.
type Endpoint struct {
	Name               string             `yaml:"name" jsonschema:"required,example=api" doc:"What reports and alerts call it; unique within the environment."`
	URL                string             `yaml:"url" jsonschema:"required,example=https://api.example.org/health" doc:"https, http, tls (a handshake only; needs a port), or with STARTTLS {starttls}. Credentials in it are sent to its own origin only and never printed."`
	ConnectTo          []string           `yaml:"connect_to" doc:"HOST:PORT to dial instead of asking DNS, as curl's --connect-to does."`
	CAFiles            []string           `yaml:"ca_files" doc:"Further trusted CAs for this endpoint, PEM or DER."`
	Timeout            Duration           `yaml:"timeout" doc:"Bounds each phase of this endpoint's probe."`
	Request            Request            `yaml:"request" doc:"What is sent, for http and https."`
	ClientCertificate  *ClientCertificate `yaml:"client_certificate" doc:"Shown to a server that asks for one."`
	Expect             Expect             `yaml:"expect" doc:"What an http or https endpoint must answer; any status from 200 to 299 by default."`
	Certificate        *Declared          `yaml:"certificate" doc:"The certificate that the endpoint is meant to serve."`
	LoadBalancer       *LoadBalancerRef   `yaml:"load_balancer" doc:"The load balancer in front. Left out, it is found by service and tags, then by DNS."`
	Service            string             `yaml:"service" jsonschema:"example=production/api" doc:"The Kubernetes Service or Ingress in front, NAMESPACE/NAME; by default known from the load balancer's tags."`
	PerEndpointMetrics bool               `yaml:"per_endpoint_metrics" doc:"CloudWatch series of the endpoint's own. Each costs money."`
}

// Request is the HTTP request.
type Request struct {
	Method  string            `yaml:"method" jsonschema:"enum=GET,enum=HEAD,enum=OPTIONS,enum=POST,example=GET" doc:"GET by default."`
	Headers map[string]string `yaml:"headers" doc:"Headers by name. Their values are never printed."`
}

// ClientCertificate names a certificate and its key.
type ClientCertificate struct {
	CertFile string `yaml:"cert_file" jsonschema:"required,example=client.pem" doc:"The certificate and its chain, PEM."`
	KeyFile  string `yaml:"key_file" jsonschema:"required,example=client-key.pem" doc:"Its private key, PEM."`
}

// Expect is what an answer must look like.
type Expect struct {
	Status       []int         `yaml:"status" jsonschema:"minimum=100,maximum=599,example=200" doc:"The accepted status codes. A redirect among them is not followed."`
	BodyContains string        `yaml:"body_contains" doc:"A text that the body must contain."`
	BodyMatches  string        `yaml:"body_matches" doc:"A regular expression (RE2) that the body must match."`
	BodyJSON     []JSONValue   `yaml:"body_json" doc:"Values that the JSON body must hold."`
	Headers      []HeaderValue `yaml:"headers" doc:"Texts that response headers must contain."`
	MaxLatency   Duration      `yaml:"max_latency" doc:"Bounds the time to the first byte."`
	MaxSize      Size          `yaml:"max_size" doc:"Bounds the decoded body."`
}

// JSONValue asks for a value at a path of the body.
type JSONValue struct {
	Path   string `yaml:"path" jsonschema:"required,example=$.status" doc:"Where: $.status, $.items[0].id."`
	Equals Scalar `yaml:"equals" doc:"The value that must stand there: a text, a number, true, false. Left out, any value will do."`
}

// HeaderValue asks that a response header contain a text.
type HeaderValue struct {
	Name     string `yaml:"name" jsonschema:"required,example=Content-Type" doc:"The header's name."`
	Contains string `yaml:"contains" doc:"A text that its value must contain. Left out, the header must be there."`
}

// Declared is the certificate that is meant to be served; each key given must hold.
type Declared struct {
	ARN               string `yaml:"arn" jsonschema:"example=arn:aws:acm:us-west-2:111122223333:certificate/0b7d2f3a-52c7-4f0e-9d1b-6a8f5a2f1c01" doc:"The ARN of an ACM certificate or an IAM server certificate."`
	FingerprintSHA256 string `yaml:"fingerprint_sha256" doc:"The leaf's SHA-256 fingerprint: 64 hexadecimal digits, with or without colons."`
	Issuer            string `yaml:"issuer" jsonschema:"example=Amazon RSA 2048 M02" doc:"The leaf's issuer: its common name or its whole distinguished name (RFC 4514)."`
}

// LoadBalancerRef names a listener.
type LoadBalancerRef struct {
	Name   string `yaml:"name" jsonschema:"required,example=a22e1d63f8ea522f9ac4b17d603e9f82" doc:"The load balancer's name."`
	Port   int    `yaml:"port" jsonschema:"minimum=1,maximum=65535,example=443" doc:"The listener's port; the URL's by default."`
	Region string `yaml:"region" jsonschema:"example=us-west-2" doc:"Its region, where the name alone is not unique."`
}

// LoadBalancers is what inspect walks.
type LoadBalancers struct {
	Regions  []string          `yaml:"regions" jsonschema:"example=us-west-2" doc:"The regions to walk; the own one by default."`
	Tags     map[string]string `yaml:"tags" doc:"Only load balancers that bear all of these tags; every one by default."`
	RoleARNs []Role            `yaml:"role_arns" doc:"Roles to assume for other accounts."`
}

// Role is a role's ARN, or a mapping of it with an external id.
type Role struct {
	ARN        string `yaml:"arn" jsonschema:"required,example=arn:aws:iam::444455556666:role/certdrift" doc:"The role's ARN."`
	ExternalID string `yaml:"external_id" doc:"The external id that the role's trust policy asks for."`
}

// Certificate says what an ARN holds.
type Certificate struct {
	ARN  string `yaml:"arn" jsonschema:"required,example=arn:aws:iam::111122223333:server-certificate/web-monitoring-2017" doc:"The certificate's ARN."`
	File string `yaml:"file" jsonschema:"required,example=old.pem" doc:"The certificate and its chain, leaf first, PEM."`
}

// Silence keeps alerts back.
type Silence struct {
	Match  Match   `yaml:"match" jsonschema:"required" doc:"What is silenced; at least one pattern."`
	From   Time    `yaml:"from" doc:"When it begins; at once by default."`
	Until  Time    `yaml:"until" doc:"When it ends. Needed unless it is weekly."`
	Weekly *Weekly `yaml:"weekly" doc:"A maintenance window that comes back every week."`
	Reason string  `yaml:"reason" jsonschema:"required,example=the cluster is being rebuilt" doc:"Why, for whoever reads it at night."`
}

// Match is which incidents a silence concerns: all patterns must match.
type Match struct {
	Environment string `yaml:"environment" jsonschema:"example=staging" doc:"A pattern with * and ? for the environment. It must fit one of this file."`
	Endpoint    string `yaml:"endpoint" jsonschema:"example=api-*" doc:"A pattern for the endpoint's name. It must fit one of this file, within the environments that match."`
	Code        string `yaml:"code" jsonschema:"example=http-*" doc:"A pattern for the finding's code. It must fit one."`
}

// Weekly is a window of time that comes back every week.
type Weekly struct {
	Days     []Weekday `yaml:"days" doc:"The days on which it begins: mon, tue, wed, thu, fri, sat, sun; every day by default."`
	From     Clock     `yaml:"from" jsonschema:"required" doc:"When it begins."`
	To       Clock     `yaml:"to" jsonschema:"required" doc:"When it ends; on the next day where it is not after from."`
	Timezone string    `yaml:"timezone" jsonschema:"example=Europe/Zurich" doc:"The IANA name of the time zone; UTC by default."`
}

// Metrics is what is published beyond the fixed few series per environment.
type Metrics struct {
	PerEndpoint    bool `yaml:"per_endpoint" doc:"Series of its own for every endpoint."`
	PerCertificate bool `yaml:"per_certificate" doc:"Days to expiry of every certificate, once a day."`
	WhileFailing   bool `yaml:"while_failing" doc:"Series of an endpoint's own while a critical finding is about it, for 100 endpoints at the most."`
}
