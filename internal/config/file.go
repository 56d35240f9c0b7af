package config

// File is certdrift.yaml as written. The decoder, the checks and the JSON Schema all use these types: the yaml tag is the key,
// required and example in the jsonschema tag are for both error messages and the schema, and doc describes the key.
type File struct {
	Version       int                     `yaml:"version" jsonschema:"required,enum=1,example=1" doc:"The version of this file's format: 1."`
	Trust         Trust                   `yaml:"trust" doc:"The trust store that certificate chains are verified with."`
	Policy        Policy                  `yaml:"policy" doc:"Thresholds for findings and alerts."`
	Defaults      Defaults                `yaml:"defaults" doc:"Settings for all endpoints that do not override them."`
	Networks      Networks                `yaml:"networks" doc:"Private networks that redirects and certificates may lead into."`
	Environments  map[string]*Environment `yaml:"environments" doc:"The endpoints to check, by environment."`
	LoadBalancers *LoadBalancers          `yaml:"load_balancers" doc:"The load balancers to inspect in addition to those that endpoints name, in this account and in others."`
	Manifests     []string                `yaml:"manifests" doc:"Kubernetes manifests, Terraform JSON and CloudFormation templates that declare certificates: files, directories, globs, or s3://bucket/prefix/."`
	Certificates  []Certificate           `yaml:"certificates" doc:"The certificates behind ARNs, for use without access to AWS (certdrift plan --offline)."`
	Silences      []Silence               `yaml:"silences" doc:"Alerts to suppress until a date or in weekly maintenance windows. Silenced incidents are still counted and shown."`
	Metrics       Metrics                 `yaml:"metrics" doc:"CloudWatch metrics in addition to the fixed set per environment. Each one costs money."`
	HeartbeatURL  string                  `yaml:"heartbeat_url" doc:"Called after every round that ran all its checks and delivered all its alerts, as a dead man's switch. http or https."`
}

// Trust is the trust store for all endpoints.
type Trust struct {
	Roots   string   `yaml:"roots" jsonschema:"enum=mozilla,enum=system,example=mozilla" doc:"mozilla (embedded in certdrift, the default) or system (the machine's own trust store)."`
	CAFiles []string `yaml:"ca_files" doc:"Files with additional trusted CAs, PEM or DER. Paths are relative to this file."`
}

// Policy is the operator's thresholds.
type Policy struct {
	Expiry            Expiry   `yaml:"expiry" doc:"How much of a certificate's lifetime is left when cert-expiring is reported."`
	Confirm           int      `yaml:"confirm" jsonschema:"minimum=1,maximum=100,example=2" doc:"Consecutive rounds with the problem before an endpoint's incident opens (default 2). Drift and problems that cannot be transient open at once."`
	Recover           int      `yaml:"recover" jsonschema:"minimum=1,maximum=100,example=2" doc:"Consecutive rounds without the problem before an incident is resolved (default 2)."`
	Remind            Duration `yaml:"remind" doc:"Time from an alert to its first reminder (default 24h). The interval doubles with each reminder."`
	StormAfter        int      `yaml:"storm_after" jsonschema:"minimum=1,maximum=1000,example=10" doc:"If a round has more causes of one kind to report in an environment than this, they are sent as one summary (default 10). Incidents of one code and author are one message in any case."`
	SMSPerHour        int      `yaml:"sms_per_hour" jsonschema:"minimum=1,maximum=1000,example=20" doc:"The maximum number of text messages per hour (default 20), at most half of them for incidents that are not critical. Email is not limited."`
	Revocation        string   `yaml:"revocation" jsonschema:"enum=staple,enum=full,enum=off,example=staple" doc:"staple (the stapled OCSP response only, the default), full (CRL and OCSP too) or off."`
	RootRemoval       Duration `yaml:"root_removal" doc:"How long before Mozilla stops trusting the root of a chain cert-root-removal is reported (default 180d)."`
	Settle            Duration `yaml:"settle" doc:"How long the served certificate may differ from the attached one after a known change to the listener (default 2m)."`
	SecondCertificate Duration `yaml:"second_certificate" doc:"How often scheduled rounds ask a server whether it has a second certificate, for clients of another type of key (ECDSA or RSA; default 1h). Servers with two are asked in every round, and check and verify always ask."`
}

// Expiry is the two thresholds of cert-expiring.
type Expiry struct {
	Warning  Threshold `yaml:"warning" doc:"A share of the certificate's own lifetime (25%, the default) or a duration (21d)."`
	Critical Threshold `yaml:"critical" doc:"A share of the certificate's own lifetime (10%, the default) or a duration (7d)."`
}

// Defaults are the settings of endpoints that do not override them.
type Defaults struct {
	Timeout  Duration `yaml:"timeout" doc:"The timeout of each phase of a probe: DNS, connect, TLS, first byte, body (default 10s)."`
	Expect   Expect   `yaml:"expect" doc:"The expected response of http and https endpoints. An endpoint's own keys take precedence."`
	EHLOName string   `yaml:"ehlo_name" jsonschema:"example=monitor.example.org" doc:"The name that SMTP servers get in EHLO: a host name, or an address in brackets. By default this machine's address, and then its name if the server rejects the address."`
}

// Networks opens private networks.
type Networks struct {
	Allow []string `yaml:"allow" jsonschema:"example=10.0.0.0/8" doc:"Private networks, in CIDR notation, that redirects and the URLs in certificates (AIA, CRL, OCSP) may lead into. By default none, except where the endpoint itself is. Endpoints' own addresses need no entry."`
}

// Environment is a group of endpoints that belong together, such as staging.
type Environment struct {
	Endpoints []Endpoint `yaml:"endpoints" jsonschema:"required" doc:"The endpoints. Names must be unique within the environment."`
}

// Endpoint is one thing to probe.
type Endpoint struct {
	Name               string             `yaml:"name" jsonschema:"required,example=api" doc:"The name in reports and alerts, unique within the environment."`
	URL                string             `yaml:"url" jsonschema:"required,example=https://api.example.org/health" doc:"https, http, tls (a handshake only; needs a port), or with STARTTLS {starttls}. Credentials in it are sent to its own origin only; neither they nor the values of its query are printed."`
	ConnectTo          []string           `yaml:"connect_to" doc:"HOST:PORT to connect to instead of using DNS, as curl's --connect-to does."`
	CAFiles            []string           `yaml:"ca_files" doc:"Files with additional trusted CAs for this endpoint, PEM or DER."`
	Timeout            Duration           `yaml:"timeout" doc:"The timeout of each phase of this endpoint's probe."`
	EHLOName           string             `yaml:"ehlo_name" jsonschema:"example=monitor.example.org" doc:"The name that this SMTP server gets in EHLO; see defaults."`
	Request            Request            `yaml:"request" doc:"The request to send (http and https)."`
	ClientCertificate  *ClientCertificate `yaml:"client_certificate" doc:"Presented to a server that requests one."`
	Expect             Expect             `yaml:"expect" doc:"The expected response of an http or https endpoint. By default any status from 200 to 299."`
	Certificate        *Declared          `yaml:"certificate" doc:"The certificate that the endpoint should serve."`
	LoadBalancer       *LoadBalancerRef   `yaml:"load_balancer" doc:"The load balancer in front of the endpoint. If omitted, it is found by service and tags, then by DNS."`
	Service            string             `yaml:"service" jsonschema:"example=production/api" doc:"The Kubernetes Service, Ingress or Gateway in front of the endpoint, NAMESPACE/NAME. By default it is taken from the load balancer's tags."`
	PerEndpointMetrics bool               `yaml:"per_endpoint_metrics" doc:"Separate CloudWatch metrics for this endpoint. Each one costs money."`
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

// Expect is the expected response.
type Expect struct {
	Status       []int         `yaml:"status" jsonschema:"minimum=100,maximum=599,example=200" doc:"The accepted status codes. A redirect with an accepted status is not followed."`
	BodyContains string        `yaml:"body_contains" doc:"Text that the body must contain."`
	BodyMatches  string        `yaml:"body_matches" doc:"A regular expression (RE2) that the body must match."`
	BodyJSON     []JSONValue   `yaml:"body_json" doc:"Values that the JSON body must contain."`
	Headers      []HeaderValue `yaml:"headers" doc:"Text that response headers must contain."`
	MaxLatency   Duration      `yaml:"max_latency" doc:"The maximum time to the first byte."`
	MaxSize      Size          `yaml:"max_size" doc:"The maximum size of the decoded body."`
	Redirects    Redirects     `yaml:"redirects" doc:"How many redirects in a row may precede the response, 0 to 10, or none. By default 10. One more is not followed, and its status is not accepted (http-status)."`
}

// JSONValue expects a value at a path of the body.
type JSONValue struct {
	Path   string `yaml:"path" jsonschema:"required,example=$.status" doc:"The path of the value: $.status, $.items[0].id."`
	Equals Scalar `yaml:"equals" doc:"The expected value: text, a number, true or false. If omitted, any value is accepted."`
}

// HeaderValue expects a response header to contain a text.
type HeaderValue struct {
	Name     string `yaml:"name" jsonschema:"required,example=Content-Type" doc:"The header's name."`
	Contains string `yaml:"contains" doc:"Text that its value must contain. If omitted, the header only has to be present."`
}

// Declared is the certificate that should be served; it must match every key that is set.
type Declared struct {
	ARN               string `yaml:"arn" jsonschema:"example=arn:aws:acm:us-west-2:111122223333:certificate/0b7d2f3a-52c7-4f0e-9d1b-6a8f5a2f1c01" doc:"The ARN of an ACM certificate or an IAM server certificate."`
	FingerprintSHA256 string `yaml:"fingerprint_sha256" doc:"The leaf's SHA-256 fingerprint: 64 hexadecimal digits, with or without colons."`
	Issuer            string `yaml:"issuer" jsonschema:"example=Amazon RSA 2048 M02" doc:"The leaf's issuer: its common name or its whole distinguished name (RFC 4514)."`
}

// LoadBalancerRef names a listener.
type LoadBalancerRef struct {
	Name   string `yaml:"name" jsonschema:"required,example=a22e1d63f8ea522f9ac4b17d603e9f82" doc:"The load balancer's name."`
	Port   int    `yaml:"port" jsonschema:"minimum=1,maximum=65535,example=443" doc:"The listener's port; the URL's by default."`
	Region string `yaml:"region" jsonschema:"example=us-west-2" doc:"Its region. Required if the name is not unique."`
}

// LoadBalancers is what inspect reads.
type LoadBalancers struct {
	Regions  []string          `yaml:"regions" jsonschema:"example=us-west-2" doc:"The regions to inspect. By default the region that certdrift runs in."`
	Tags     map[string]string `yaml:"tags" doc:"Only load balancers with all of these tags are inspected. By default all are."`
	RoleARNs []Role            `yaml:"role_arns" doc:"Roles to assume for other accounts."`
}

// Role is a role's ARN, or a mapping of the ARN and an external ID.
type Role struct {
	ARN        string `yaml:"arn" jsonschema:"required,example=arn:aws:iam::444455556666:role/certdrift" doc:"The role's ARN."`
	ExternalID string `yaml:"external_id" doc:"The external ID that the role's trust policy requires."`
}

// Certificate has the certificate behind an ARN.
type Certificate struct {
	ARN  string `yaml:"arn" jsonschema:"required,example=arn:aws:iam::111122223333:server-certificate/web-monitoring-2017" doc:"The certificate's ARN."`
	File string `yaml:"file" jsonschema:"required,example=old.pem" doc:"The certificate and its chain, leaf first, PEM."`
}

// Silence suppresses alerts.
type Silence struct {
	Match  Match   `yaml:"match" jsonschema:"required" doc:"Which incidents are silenced. At least one pattern is required."`
	From   Time    `yaml:"from" doc:"When it starts. By default at once."`
	Until  Time    `yaml:"until" doc:"When it ends. Required unless weekly is set."`
	Weekly *Weekly `yaml:"weekly" doc:"A weekly maintenance window."`
	Reason string  `yaml:"reason" jsonschema:"required,example=the cluster is being rebuilt" doc:"The reason, for the person on call."`
}

// Match selects the incidents that are silenced: all patterns must match.
type Match struct {
	Environment string `yaml:"environment" jsonschema:"example=staging" doc:"A pattern with * and ? for the environment. It must match an environment in this file."`
	Endpoint    string `yaml:"endpoint" jsonschema:"example=api-*" doc:"A pattern for the endpoint's name. It must match an endpoint in this file, within the environments that match."`
	Code        string `yaml:"code" jsonschema:"example=http-*" doc:"A pattern for the finding code. It must match a code."`
}

// Weekly is a weekly time window.
type Weekly struct {
	Days     []Weekday `yaml:"days" doc:"The days on which it starts: mon, tue, wed, thu, fri, sat, sun. By default every day."`
	From     Clock     `yaml:"from" jsonschema:"required" doc:"When it starts."`
	To       Clock     `yaml:"to" jsonschema:"required" doc:"When it ends. If this is not after from, it ends on the next day."`
	Timezone string    `yaml:"timezone" jsonschema:"example=Europe/Zurich" doc:"The IANA name of the time zone. By default UTC."`
}

// Metrics selects metrics in addition to the fixed set per environment.
type Metrics struct {
	PerEndpoint    bool `yaml:"per_endpoint" doc:"Separate metrics for every endpoint."`
	PerCertificate bool `yaml:"per_certificate" doc:"Days to expiry of every certificate, once a day."`
	WhileFailing   bool `yaml:"while_failing" doc:"Separate metrics for an endpoint while it has a critical finding, for at most 100 endpoints."`
}
