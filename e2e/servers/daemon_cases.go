package servers

import (
	"crypto/x509"
	"fmt"
	"strings"
	"syscall"

	"certdrift/internal/finding"
)

// fullBacklog listens with a full queue and never accepts: another SYN gets no answer.
func (l *Lab) fullBacklog() string {
	fd := must(syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0))
	l.onClose(func() { _ = syscall.Close(fd) })
	must(0, syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}))
	must(0, syscall.Listen(fd, 0))
	name, _ := must(syscall.Getsockname(fd)).(*syscall.SockaddrInet4)
	for range 2 {
		waiting := must(syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_NONBLOCK, 0))
		l.onClose(func() { _ = syscall.Close(waiting) })
		_ = syscall.Connect(waiting, name) // in progress, forever
	}
	return fmt.Sprintf("127.0.0.1:%d", name.Port)
}

// nginx starts nginx with a server block for each text; @ADDRESS@, @CERT@ and @KEY@ are filled in.
func nginx(name string, want []finding.Code, block string) Case {
	return Case{Name: "nginx: " + name, Needs: "nginx", Want: want, serve: func(l *Lab) Target { return at(l.nginx(block)) }}
}

// nginx starts nginx with a server block, and returns its address.
func (l *Lab) nginx(block string) string {
	cert, key := l.files(l.leaf())
	root := l.write("root.pem", certPEM(l.Root.Certificate.Raw))
	other, otherKey := l.files(l.leafFor([]string{"www.example.net"}))
	address := l.reserve()
	fill := strings.NewReplacer("@ADDRESS@", address, "@CERT@", cert, "@KEY@", key, "@OTHER@", other, "@OTHERKEY@", otherKey, "@ROOT@", root, "@DIR@", l.Dir)
	config := fill.Replace("daemon off;\nmaster_process off;\npid @DIR@/nginx.pid;\nerror_log stderr;\nevents {}\nhttp {\naccess_log off;\n" +
		"client_body_temp_path @DIR@/a;\nproxy_temp_path @DIR@/b;\nfastcgi_temp_path @DIR@/c;\nuwsgi_temp_path @DIR@/d;\nscgi_temp_path @DIR@/e;\n" + block + "\n}\n")
	l.run(address, "nginx", "-c", l.write("nginx.conf", []byte(config)), "-p", l.Dir)
	return address
}

// forwarded starts haproxy, which forwards connections to nginx: server are the options of its server line, block is nginx's.
func forwarded(name string, want []finding.Code, server, block string) Case {
	return Case{Name: "haproxy before nginx: " + name, Needs: "haproxy", Want: want, serve: func(l *Lab) Target {
		behind, address := l.nginx(block), l.reserve()
		config := fmt.Sprintf("defaults\n  mode tcp\n  timeout connect 2s\n  timeout client 5s\n  timeout server 5s\nfrontend f\n  bind %s\n  default_backend b\nbackend b\n  server s %s %s\n", address, behind, server)
		l.run(address, "haproxy", "-db", "-f", l.write("haproxy.cfg", []byte(config)))
		return at(address)
	}}
}

// haproxy starts haproxy with a bind line's options and the lines after it.
func haproxy(name string, want []finding.Code, bind, rest string) Case {
	return Case{Name: "haproxy: " + name, Needs: "haproxy", Want: want, serve: func(l *Lab) Target {
		p := l.leaf()
		both := l.write("haproxy.pem", append(p.PEM(), must(p.KeyPEM())...))
		root := l.write("root.pem", certPEM(l.Root.Certificate.Raw))
		address := l.reserve()
		bind := strings.NewReplacer("@BOTH@", both, "@ROOT@", root).Replace(bind)
		config := fmt.Sprintf("global\n  ssl-default-bind-options ssl-min-ver TLSv1.0\ndefaults\n  mode http\n  timeout connect 2s\n  timeout client 5s\n  timeout server 5s\nfrontend f\n  bind %s %s\n%s\n", address, bind, rest)
		l.run(address, "haproxy", "-db", "-f", l.write("haproxy.cfg", []byte(config)))
		return at(address)
	}}
}

// apache starts Apache httpd, which requires a client certificate for a path: with TLS 1.2 it requests one after reading the
// request. shown reports whether the client has one.
func apache(name string, want []finding.Code, shown bool) Case {
	return Case{Name: "apache: " + name, Needs: "apache2", Want: want, serve: func(l *Lab) Target {
		cert, key := l.files(l.leaf())
		root := l.write("root.pem", certPEM(l.Root.Certificate.Raw))
		address := l.reserve()
		var b strings.Builder
		for _, module := range []string{"mpm_event", "authz_core", "ssl", "rewrite"} {
			fmt.Fprintf(&b, "LoadModule %s_module /usr/lib/apache2/modules/mod_%s.so\n", module, module)
		}
		if syscall.Getuid() == 0 {
			b.WriteString("User #65534\nGroup #65534\n")
		}
		fmt.Fprintf(&b, "ServerRoot %s\nServerName %s\nPidFile %s/apache.pid\nErrorLog /dev/stderr\nMutex posixsem\nListen %s\nSSLEngine on\nSSLProtocol TLSv1.2\n"+
			"SSLCertificateFile %s\nSSLCertificateKeyFile %s\nSSLCACertificateFile %s\nSSLVerifyDepth 5\n"+
			"<Location />\nSSLVerifyClient require\nRewriteEngine on\nRewriteRule ^ - [R=204]\n</Location>\n", l.Dir, Host, l.Dir, address, cert, key, root)
		l.run(address, "apache2", "-X", "-f", l.write("apache.conf", []byte(b.String())))
		t := at(address)
		if shown {
			client, clientKey := l.files(l.leafFor([]string{"client"}, func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth} }))
			t.Client = &Client{client, clientKey}
		}
		return t
	}}
}

func daemons() []Case {
	server := "server { listen @ADDRESS@ ssl %s; ssl_certificate @CERT@; ssl_certificate_key @KEY@; %s }"
	block := func(listen, more string) string { return fmt.Sprintf(server, listen, more) }
	answer := "location / { return 200 ok; }"
	return []Case{
		nginx("healthy", nil, block("", answer)),
		nginx("h2", nil, block("http2", answer)),
		nginx("TLS 1.2 only", nil, block("", "ssl_protocols TLSv1.2; "+answer)),
		nginx("TLS 1.0 only", codes(finding.TLSVersionOld), block("", "ssl_protocols TLSv1; ssl_ciphers ALL:@SECLEVEL=0; "+answer)),
		nginx("a client certificate is demanded", codes(finding.TLSClientCertificateRequired), block("", "ssl_client_certificate @ROOT@; ssl_verify_client on; "+answer)),
		nginx("a client certificate is demanded, h2", codes(finding.TLSClientCertificateRequired), block("http2", "ssl_client_certificate @ROOT@; ssl_verify_client on; "+answer)),
		nginx("a client certificate is welcome", nil, block("", "ssl_client_certificate @ROOT@; ssl_verify_client optional; "+answer)),
		nginx("plain HTTP on the port", codes(finding.TLSPlaintext), "server { listen @ADDRESS@; "+answer+" }"),
		nginx("502: nobody behind it", codes(finding.HTTPStatus), block("", "location / { proxy_pass http://127.0.0.1:1; }")),
		nginx("444: closes without an answer", codes(finding.HTTPInvalid), block("", "location / { return 444; }")),
		nginx("rejects the handshake for the name", codes(finding.TLSHandshake), "server { listen @ADDRESS@ ssl default_server; ssl_reject_handshake on; }"),
		nginx("no virtual host for the name: the default's certificate", codes(finding.CertNameMismatch), "server { listen @ADDRESS@ ssl default_server; ssl_certificate @OTHER@; ssl_certificate_key @OTHERKEY@; "+answer+" }"),
		nginx("the virtual host by SNI", nil, "server { listen @ADDRESS@ ssl default_server; ssl_certificate @OTHER@; ssl_certificate_key @OTHERKEY@; return 500; }\n"+block("", "server_name "+Host+"; "+answer)),
		nginx("redirects to itself", codes(finding.HTTPRedirectLoop), block("", "location / { return 301 https://"+Host+"/; }")),
		nginx("redirects to the server's internal port", codes(finding.HTTPRedirectBlocked, finding.HTTPRedirectInsecure), block("", "location / { return 301 http://127.0.0.1:8080/; }")),
		nginx("the PROXY protocol's header is expected", codes(finding.ConnectReset), block("proxy_protocol", answer)),
		forwarded("the PROXY protocol on neither side", nil, "", block("", answer)),
		forwarded("the PROXY protocol on both sides", nil, "send-proxy", block("proxy_protocol", answer)),
		forwarded("the PROXY protocol, version 2, on both sides", nil, "send-proxy-v2", block("proxy_protocol", answer)),
		forwarded("the PROXY protocol's header is sent, and not expected", codes(finding.TLSPlaintext), "send-proxy", block("", answer)),
		forwarded("the PROXY protocol's header of version 2 is sent, and not expected", codes(finding.TLSPlaintext), "send-proxy-v2", block("", answer)),
		haproxy("the PROXY protocol's header is expected", codes(finding.ConnectReset), "ssl crt @BOTH@ accept-proxy", "  http-request return status 200 content-type text/plain string ok"),
		haproxy("healthy", nil, "ssl crt @BOTH@ alpn h2,http/1.1", "  http-request return status 200 content-type text/plain string ok"),
		haproxy("503: no backend", codes(finding.HTTPStatus), "ssl crt @BOTH@ alpn h2,http/1.1", "  default_backend b\nbackend b\n  server s 127.0.0.1:1"),
		haproxy("TLS 1.0 only", codes(finding.TLSVersionOld), "ssl crt @BOTH@ ssl-max-ver TLSv1.0 ciphers ALL:@SECLEVEL=0", "  http-request return status 200 content-type text/plain string ok"),
		haproxy("strict-sni, and no certificate for the name", codes(finding.TLSHandshake), "ssl crt @BOTH@ strict-sni crt-ignore-err all", "  http-request return status 200").renamed("www.example.net"),
		haproxy("a client certificate is demanded", codes(finding.TLSClientCertificateRequired), "ssl crt @BOTH@ ca-file @ROOT@ verify required", "  http-request return status 200 content-type text/plain string ok"),
		haproxy("plain TCP, nobody behind it", codes(finding.TLSHandshake), "", "  mode tcp\n  default_backend b\nbackend b\n  mode tcp\n  server s 127.0.0.1:1"),
		apache("a client certificate is demanded after the request", codes(finding.TLSClientCertificateRequired), false),
		apache("a client certificate is demanded after the request, and shown", nil, true),
		haproxy("tarpits", codes(finding.HTTPTimeout), "ssl crt @BOTH@", "  timeout tarpit 20s\n  http-request tarpit if TRUE"),
	}
}

// renamed requests another host of a case.
func (c Case) renamed(host string) Case {
	serve := c.serve
	c.serve = func(l *Lab) Target { return serve(l).named(host) }
	return c
}
