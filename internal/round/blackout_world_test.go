package round_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancing"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbv2types "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"

	"certdrift/internal/alert"
	"certdrift/internal/awsio/listener"
	"certdrift/internal/awsio/sns"
	"certdrift/internal/awsio/source"
	"certdrift/internal/certtest"
	"certdrift/internal/chain"
	"certdrift/internal/config"
	"certdrift/internal/finding"
	"certdrift/internal/incident"
	"certdrift/internal/manifest"
	"certdrift/internal/observation"
	"certdrift/internal/policy"
	"certdrift/internal/probe"
	"certdrift/internal/round"
	"certdrift/internal/sim/account"
	"certdrift/internal/sim/pki"
	"certdrift/internal/target"
	"certdrift/internal/trust"
)

// world is what the blackout tests look at: a simulated account, and servers in a network in memory that the real probe
// reaches through its dialer. It lives in a synctest bubble, so that whatever hangs costs no time.
type world struct {
	t            *testing.T
	root, issuer *pki.Pair
	public       *pki.Pair // a root that is bound by the CA/Browser Forum's rules
	leaving      *pki.Pair // a public root that Mozilla removes in a month
	account      *account.Account
	topic        string
	names        map[string][]netip.Addr // by host
	aliases      map[string]string       // CNAME, by host
	servers      map[string]*server      // by IP:PORT
	endpoints    []*target.Endpoint
	files        map[string]string // the manifests, by key in S3
	serial       int

	// What a fault takes away from the probe and from S3.
	resolve  func(ctx context.Context, network, host string) error
	dial     func(ctx context.Context, address string) (net.Conn, error)
	mute     bool                                                    // servers answer no request
	others   func(observation.KeyType) *observation.OtherCertificate // what is learned of servers' other certificates
	s3       func(ctx context.Context, operation string) error
	only     []string
	depth    round.Depth
	patience time.Duration
	base     func()               // what fails all the time
	dates    bool                 // servers date their answers
	offset   time.Duration        // how far the clock of this machine is ahead
	adjust   func(*config.Config) // what the configuration says otherwise

	// prober is the real one. What it saw is saved by what the world is like, and shown again in rounds that would see the same.
	prober *probe.Prober
	like   string
	seen   map[string][]observation.Endpoint

	runner *round.Runner
	heard  []incident.Notice
	last   round.Result
}

// server is one address. Its fields may change at any time.
type server struct {
	pair    *pki.Pair
	chain   [][]byte // instead of the pair's own
	config  func(*tls.Config)
	answer  func(*http.Request) string // a whole response; nil for 200 "ok"
	raw     func(net.Conn)             // instead of TLS and HTTP
	refused error                      // dialing fails
	hole    bool                       // dialing never ends
	plain   bool                       // HTTP without TLS
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{
		t: t, names: map[string][]netip.Addr{}, aliases: map[string]string{}, servers: map[string]*server{}, files: map[string]string{}, seen: map[string][]observation.Endpoint{},
		depth: round.Listeners, patience: time.Minute,
	}
	w.root = w.made(pki.Root("Blackout root", time.Now()))
	w.public = w.made(pki.Root("Public root", time.Now()))
	w.leaving = w.made(pki.Root("Leaving root", time.Now()))
	w.issuer = w.made(w.root.Intermediate("Blackout issuer", time.Now()))
	w.account = account.New(account.Options{Now: time.Now, PageSize: 2})
	w.topic = w.account.AddTopic("alerts", account.Subscription{Protocol: "email", Endpoint: "oncall@example.org"})
	w.runner = w.newRunner()
	return w
}

func (w *world) now() time.Time { return time.Now().Add(w.offset) }

func (w *world) made(p *pki.Pair, err error) *pki.Pair {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
	return p
}

func (w *world) newRunner() *round.Runner {
	inspector := listener.New(listener.Options{
		Home: w.account.Region(), Account: func(context.Context, target.Role) (string, error) { return w.account.ID(), nil },
		Clients: func(string, target.Role) listener.Clients {
			return listener.Clients{Classic: w.account.ELB(), Modern: w.account.ELBv2(), ACM: w.account.ACM(), IAM: w.account.IAM()}
		},
	})
	stores := &trust.Stores{}
	publisher := &round.Publisher{
		Now: w.now, Store: round.NewMemory(), Function: "inspect", By: "test",
		OnSent: func(n incident.Notice, _ alert.Message) { w.heard = append(w.heard, n.Each()...) },
	}
	publisher.Tell(sns.New(w.account.SNS(), w.topic))
	w.prober = probe.New(probe.Options{
		Now: w.now, Resolver: w, Dialer: w.connect, Revocation: string(policy.RevocationStaple),
		NeedsIssuer: stores.NeedsIssuer, Anchors: stores.Anchors, Verified: stores.Verified,
	})
	return &round.Runner{
		Now: w.now, Inspector: inspector, Publisher: publisher, OnSchedule: true,
		Roots: func(target.Roots) *chain.Store {
			return chain.NewStore([]chain.Anchor{{Certificate: w.public.Certificate, Public: true}, {Certificate: w.leaving.Certificate, Public: true, Removal: time.Now().AddDate(0, 1, 0)}})
		},
		AlertPath: sns.NewPath(func(string) *account.SNS { return w.account.SNS() }, sns.Place{ARN: w.topic}),
		Prober:    w,
	}
}

// leaf is a certificate for names with 60 of its 90 days left.
func (w *world) leaf(names []string, opts ...pki.Option) *pki.Pair {
	w.t.Helper()
	return w.made(w.issuer.Leaf(time.Now(), names, opts...))
}

// site is an endpoint with its server.
type site struct {
	*server
	w      *world
	target *target.Endpoint
	host   string
	good   *pki.Pair
}

// site adds an endpoint at an address of its own, served well.
func (w *world) site(environment, name string) *site {
	w.t.Helper()
	host := name + "." + strings.ReplaceAll(environment, "_", "-") + ".example.org"
	e := &target.Endpoint{
		Environment: environment, Name: name, URL: "https://" + host + "/", Kind: target.HTTPS, Host: host, Port: 443, Timeout: 2 * time.Second,
		Trust: target.Trust{Roots: target.Mozilla, CAs: [][]byte{w.root.Certificate.Raw}},
	}
	w.endpoints = append(w.endpoints, e)
	s := &site{w: w, target: e, host: host, good: w.leaf([]string{host})}
	s.server = s.address(s.good)
	return s
}

// address adds an address to the endpoint's name.
func (s *site) address(pair *pki.Pair) *server {
	ip := s.w.ip()
	s.w.names[s.host] = append(s.w.names[s.host], ip)
	return s.w.serve(netip.AddrPortFrom(ip, uint16(s.target.Port)), &server{pair: pair})
}

func (w *world) ip() netip.Addr {
	w.serial++
	return netip.AddrFrom4([4]byte{93, 184, byte(w.serial >> 8), byte(w.serial)})
}

func (w *world) serve(at netip.AddrPort, s *server) *server {
	w.servers[at.String()] = s
	return s
}

// heal gives the site its good certificate and answer.
func (s *site) heal() { *s.server = server{pair: s.good} }

// balancer puts a load balancer of one TLS listener in front of the site, and the site's name on it.
func (s *site) balancer(kind observation.LoadBalancerKind, certificates ...string) string {
	s.w.serial++
	name := fmt.Sprintf("lb-%04d", s.w.serial)
	protocol, security := "HTTPS", "ELBSecurityPolicy-TLS13-1-2-2021-06"
	switch kind {
	case observation.Network:
		protocol = "TLS"
	case observation.Classic:
		security = "ELBSecurityPolicy-TLS-1-2-2017-01"
	}
	s.w.account.AddLoadBalancer(account.LoadBalancer{Kind: kind, Name: name, Listeners: []account.Listener{
		{Port: 443, Protocol: protocol, Certificates: certificates, Policy: security},
	}})
	s.target.LoadBalancer = &target.LoadBalancerRef{Name: name, Port: 443}
	return name
}

// acm puts a certificate into ACM.
func (w *world) acm(pair *pki.Pair) string {
	w.serial++
	return w.account.AddCertificate(fmt.Sprintf("00000000-0000-4000-8000-%012d", w.serial), pair)
}

// Probe is the real prober's, once for all rounds that see the same.
func (w *world) Probe(ctx context.Context, endpoints []target.Endpoint) []observation.Endpoint {
	key := fmt.Sprint(w.like, " ", len(endpoints))
	if w.seen[key] == nil {
		w.seen[key] = w.prober.Probe(ctx, endpoints)
	}
	seen := slices.Clone(w.seen[key])
	if w.others == nil {
		return seen
	}
	for i := range seen {
		seen[i].Addresses = slices.Clone(seen[i].Addresses)
		for k := range seen[i].Addresses {
			if other := &seen[i].Addresses[k].Other; *other != nil {
				*other = w.others((*other).KeyType)
			}
		}
	}
	return seen
}

// Resolve is the real prober's.
func (w *world) Resolve(ctx context.Context, host string) observation.DNS {
	return w.prober.Resolve(ctx, host)
}

// LookupNetIP resolves the world's names, and those of its load balancers.
func (w *world) LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error) {
	if w.resolve != nil {
		if err := w.resolve(ctx, network, host); err != nil {
			return nil, err
		}
	}
	if network == "ip" && w.resolve != nil { // as Go's resolver does: one family that fails is left out
		four, failed := w.LookupNetIP(ctx, "ip4", host)
		if six, err := w.LookupNetIP(ctx, "ip6", host); len(four)+len(six) > 0 || failed != nil && err != nil {
			if len(four)+len(six) > 0 {
				failed = nil
			}
			return append(four, six...), failed
		}
	}
	if alias := w.aliases[host]; alias != "" {
		host = alias
	}
	found := slices.DeleteFunc(slices.Clone(w.names[host]), func(a netip.Addr) bool {
		return network == "ip4" && !a.Is4() || network == "ip6" && a.Is4()
	})
	if len(found) == 0 {
		return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
	}
	return found, nil
}

// LookupCNAME is part of a resolver.
func (w *world) LookupCNAME(ctx context.Context, host string) (string, error) {
	if w.resolve != nil {
		if err := w.resolve(ctx, "cname", host); err != nil {
			return "", err
		}
	}
	if alias := w.aliases[host]; alias != "" {
		return alias, nil
	}
	return host, nil
}

// connect is the probe's dialer.
func (w *world) connect(ctx context.Context, _, address string) (net.Conn, error) {
	if w.dial != nil {
		if conn, err := w.dial(ctx, address); conn != nil || err != nil {
			return conn, err
		}
	}
	s := w.servers[address]
	switch {
	case s == nil:
		return nil, dialError(syscall.ECONNREFUSED)
	case s.hole:
		<-ctx.Done()
		return nil, ctx.Err()
	case s.refused != nil:
		return nil, s.refused
	}
	return inMemory(func(conn net.Conn) { w.handle(s, conn) }), nil
}

func dialError(why syscall.Errno) error {
	return &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", why)}
}

// inMemory is a connection to a handler.
func inMemory(handle func(net.Conn)) net.Conn {
	client, end := net.Pipe()
	go func() {
		defer end.Close()
		handle(end)
	}()
	return client
}

func (w *world) handle(s *server, conn net.Conn) {
	if s.raw != nil {
		s.raw(conn)
		return
	}
	if !s.plain {
		chain := s.chain
		if chain == nil {
			chain = s.pair.Served()
		}
		c := &tls.Config{
			Certificates: []tls.Certificate{{Certificate: chain, PrivateKey: s.pair.Key}}, MinVersion: tls.VersionTLS10,
			SessionTicketsDisabled: true,
		}
		if s.config != nil {
			s.config(c)
		}
		secured := tls.Server(conn, c)
		if secured.Handshake() != nil {
			return
		}
		conn = secured
	}
	request, err := http.ReadRequest(bufio.NewReader(conn))
	if err != nil {
		return
	}
	if w.mute {
		certtest.Silent(conn)
		return
	}
	answer := reply(200, "ok")
	if w.dates {
		answer = reply(200, "ok", "Date: "+time.Now().UTC().Format(http.TimeFormat))
	}
	if s.answer != nil {
		answer = s.answer(request)
	}
	_, _ = io.WriteString(conn, answer)
}

// reply is a response with a body, and headers as NAME: VALUE.
func reply(status int, body string, headers ...string) string {
	text := fmt.Sprintf("HTTP/1.1 %d %s\r\nContent-Length: %d\r\nConnection: close\r\n", status, http.StatusText(status), len(body))
	for _, h := range headers {
		text += h + "\r\n"
	}
	return text + "\r\n" + body
}

// GetObject and ListObjectsV2 are the bucket that holds the manifests.
func (w *world) GetObject(ctx context.Context, in *s3.GetObjectInput, _ ...func(*s3.Options)) (*s3.GetObjectOutput, error) {
	if w.s3 != nil {
		if err := w.s3(ctx, "GetObject"); err != nil {
			return nil, err
		}
	}
	text, ok := w.files[aws.ToString(in.Key)]
	if !ok {
		return nil, &s3types.NoSuchKey{}
	}
	return &s3.GetObjectOutput{Body: io.NopCloser(strings.NewReader(text))}, nil
}

// ListObjectsV2 lists the manifests.
func (w *world) ListObjectsV2(ctx context.Context, _ *s3.ListObjectsV2Input, _ ...func(*s3.Options)) (*s3.ListObjectsV2Output, error) {
	if w.s3 != nil {
		if err := w.s3(ctx, "ListObjectsV2"); err != nil {
			return nil, err
		}
	}
	out := &s3.ListObjectsV2Output{}
	for key := range w.files {
		out.Contents = append(out.Contents, s3types.Object{Key: aws.String(key)})
	}
	return out, nil
}

// request is what a function asks for: the configuration, with the manifests read from S3.
func (w *world) request() round.Request {
	q := round.Request{Depth: w.depth, Only: w.only, Config: config.Config{
		Policy: policy.DefaultThresholds(), Incidents: policy.DefaultAlerting(),
		Scope: target.Scope{Enabled: true, Walk: true, Regions: []string{w.account.Region()}},
	}}
	q.Config.Incidents.StormAfter = 0
	for _, e := range w.endpoints {
		q.Config.Endpoints = append(q.Config.Endpoints, *e)
	}
	if w.adjust != nil {
		w.adjust(&q.Config)
	}
	if len(w.files) > 0 {
		ctx, cancel := context.WithTimeout(w.t.Context(), 5*time.Second)
		defer cancel()
		reader := source.New(source.Options{S3: w})
		read := manifest.Load([]string{"s3://bucket/k8s/"}, manifest.Options{Remote: func(place string) ([]manifest.File, error) {
			files, err := reader.Files(ctx, place)
			var out []manifest.File
			for _, f := range files {
				out = append(out, manifest.File(f))
			}
			return out, err
		}})
		q.Manifests, q.Diagnostics, q.ObserveErrors = read.Declared, read.Diagnostics, read.ObserveErrors
	}
	return q
}

// round is one round, a minute after the last, and what it sent.
func (w *world) round() []incident.Notice {
	time.Sleep(time.Minute)
	w.heard = nil
	ctx, cancel := context.WithTimeout(w.t.Context(), w.patience)
	defer cancel()
	res, err := w.runner.Run(ctx, w.request())
	if err != nil && !errors.Is(err, context.DeadlineExceeded) {
		w.t.Logf("the round says %v", err)
	}
	w.last = res
	for _, p := range incident.Problems(res.Conclusion.Findings) {
		if text := certtest.Contradiction(p.Remedies()); text != "" {
			w.t.Errorf("the remedies of %s contradict each other: %s", p.Cause().Code, text)
		}
	}
	return w.heard
}

// shows reports whether the last round found a code, as a warning at least, in an environment.
func (w *world) shows(environment string, code finding.Code) bool {
	return slices.ContainsFunc(w.last.Conclusion.Findings, func(f finding.Finding) bool {
		return f.Code == code && f.Environment == environment && f.Severity >= finding.Warning
	})
}

// attach puts another certificate on a load balancer's port 443.
func (w *world) attach(kind observation.LoadBalancerKind, balancer, arn string) {
	w.t.Helper()
	ctx, client := w.t.Context(), w.account.ELBv2()
	if kind == observation.Classic {
		_, err := w.account.ELB().SetLoadBalancerListenerSSLCertificate(ctx, &elb.SetLoadBalancerListenerSSLCertificateInput{
			LoadBalancerName: &balancer, LoadBalancerPort: 443, SSLCertificateId: &arn,
		})
		if err != nil {
			w.t.Fatal(err)
		}
		return
	}
	found, err := client.DescribeLoadBalancers(ctx, &elbv2.DescribeLoadBalancersInput{Names: []string{balancer}})
	if err != nil {
		w.t.Fatal(err)
	}
	listeners, err := client.DescribeListeners(ctx, &elbv2.DescribeListenersInput{LoadBalancerArn: found.LoadBalancers[0].LoadBalancerArn})
	if err != nil {
		w.t.Fatal(err)
	}
	_, err = client.ModifyListener(ctx, &elbv2.ModifyListenerInput{
		ListenerArn: listeners.Listeners[0].ListenerArn, Certificates: []elbv2types.Certificate{{CertificateArn: &arn}},
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

// foundIn are the codes, as warnings at least, that the last round found in an environment.
func (w *world) foundIn(environment string) []finding.Code {
	var out []finding.Code
	for _, f := range w.last.Conclusion.Findings {
		if f.Environment == environment && f.Severity >= finding.Warning {
			out = append(out, f.Code)
		}
	}
	return out
}

// says reports whether the last round found anything at all in an environment.
func (w *world) says(environment string) bool {
	return slices.ContainsFunc(w.last.Conclusion.Findings, func(f finding.Finding) bool { return f.Environment == environment })
}
