package servers

import (
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"

	"certdrift/internal/finding"
	"certdrift/internal/sim/pki"
)

// Programs are the programs that cases need, with their packages in Debian.
func Programs() map[string]string {
	return map[string]string{
		"nginx": "nginx-light", "haproxy": "haproxy", "apache2": "apache2-bin", "openssl": "openssl",
		"postfix": "postfix", "slapd": "slapd", "mariadbd": "mariadb-server-core", "vsftpd": "vsftpd", "prosody": "prosody lua-sec", "pg_ctlcluster": "postgresql",
		"/usr/lib/dovecot/imap-login": "dovecot-imapd", "/usr/lib/dovecot/pop3-login": "dovecot-pop3d", "/usr/lib/dovecot/managesieve-login": "dovecot-managesieved",
	}
}

// Browsers are the browsers that clients are, with what gives them their roots, with their packages in Debian. Only `make accuracy` runs them.
func Browsers() map[string]string {
	return map[string]string{"chromium": "chromium", "certutil": "libnss3-tools", "firefox-esr": "firefox-esr"}
}

// asRoot is a program that only root can run, for Case.Needs.
func asRoot(program string) string {
	if os.Getuid() != 0 {
		return program + " as root"
	}
	return program
}

// daemon is a real server with STARTTLS.
type daemon struct {
	name, scheme, needs string
	// start starts it with a certificate's files; without them TLS is switched off. more is added to its configuration.
	start func(l *Lab, address, cert, key, more string)
}

func (d daemon) run(name string, want []finding.Code, more string, opts func(*Lab) []pki.Option) Case {
	return Case{Name: d.name + ": " + name, Needs: d.needs, Want: want, serve: func(l *Lab) Target {
		address, cert, key := l.reserve(), "", ""
		if opts != nil {
			cert, key = l.files(l.leaf(opts(l)...))
		}
		d.start(l, address, cert, key, more)
		return Target{URL: d.scheme + "://" + Host, To: []string{address}}
	}}
}

func good(*Lab) []pki.Option { return nil }

func (d daemon) healthy() Case { return d.run("healthy", nil, "", good) }
func (d daemon) expired() Case { return d.run("expired", codes(finding.CertExpired), "", pki90) }
func (d daemon) without() Case {
	return d.run("TLS switched off", codes(finding.TLSHandshake), "", nil)
}

// at asks a daemon with the URL of another protocol.
func (d daemon) at(url string, want finding.Code) Case {
	c := d.run("at "+url, codes(want), "", good)
	serve := c.serve
	c.serve = func(l *Lab) Target {
		t := serve(l)
		scheme, port, _ := strings.Cut(url, ":")
		t.URL = scheme + "://" + Host + ":" + port
		return t
	}
	return c
}

func realServers() []Case {
	postfix := daemon{"Postfix", "smtp", asRoot("postfix"), (*Lab).postfix}
	imap := daemon{"Dovecot (imap)", "imap", asRoot("/usr/lib/dovecot/imap-login"), dovecot("imap-login", "imap")}
	pop3 := daemon{"Dovecot (pop3)", "pop3", asRoot("/usr/lib/dovecot/pop3-login"), dovecot("pop3-login", "pop3")}
	sieve := daemon{"Dovecot (sieve)", "sieve", asRoot("/usr/lib/dovecot/managesieve-login"), dovecot("managesieve-login", "sieve")}
	postgres := daemon{"PostgreSQL", "postgres", postgresProgram("postgres"), (*Lab).postgres}
	mariadb := daemon{"MariaDB", "mysql", "mariadbd", (*Lab).mariadb}
	slapd := daemon{"OpenLDAP", "ldap", "slapd", (*Lab).slapd}
	vsftpd := daemon{"vsftpd", "ftp", asRoot("vsftpd"), (*Lab).vsftpd}
	client := daemon{"Prosody (clients)", "xmpp", "prosody", prosody("c2s_ports")}
	server := daemon{"Prosody (servers)", "xmpp-server", "prosody", prosody("s2s_ports")}
	return []Case{
		postfix.healthy(), postfix.expired(), postfix.without(),
		postfix.run("no addresses in EHLO", nil, "smtpd_delay_reject = no\nsmtpd_helo_restrictions = check_helo_access regexp:{{/^\\[/ 501 a host name, please}}\n", good),
		postfix.run("no client is welcome", codes(finding.TLSHandshake), "smtpd_delay_reject = no\nsmtpd_client_restrictions = reject\n", good),
		postgres.healthy(), postgres.expired(), postgres.without(),
		imap.healthy(), imap.expired(), imap.without(), pop3.healthy(), pop3.expired(), pop3.without(), sieve.healthy(), sieve.expired(), sieve.without(),
		mariadb.healthy(), mariadb.expired(), mariadb.without(),
		slapd.healthy(), slapd.expired(), slapd.without(),
		vsftpd.healthy(), vsftpd.expired(), vsftpd.without(),
		client.healthy(), client.expired(), client.without(), server.healthy(), server.expired(), server.without(),
		slapd.at("tls:389", finding.TLSHandshake), postgres.at("tls:5432", finding.TLSHandshake), client.at("https:5222", finding.TLSHandshake),
		mariadb.at("tls:3306", finding.TLSHandshake), postfix.at("https:25", finding.TLSHandshake), vsftpd.at("tls:21", finding.TLSHandshake),
		imap.at("http:143", finding.HTTPInvalid),
	}
}

// home returns a new directory of the lab's that a user may enter; it belongs to the user if the tests run as root.
func (l *Lab) home(owner string) string {
	must(0, os.Chmod(l.Dir, 0o711))
	dir := must(os.MkdirTemp(l.Dir, owner))
	must(0, os.Chmod(dir, 0o755))
	l.give(owner, dir)
	return dir
}

// give makes a user the owner of files, if the tests run as root.
func (l *Lab) give(owner string, paths ...string) {
	if os.Getuid() != 0 {
		return
	}
	u := must(user.Lookup(owner))
	uid, gid := must(strconv.Atoi(u.Uid)), must(strconv.Atoi(u.Gid))
	for _, path := range paths {
		must(0, os.Chown(path, uid, gid))
	}
}

// as returns the command that runs a program as a user.
func as(owner, program string, args ...string) (string, []string) {
	if os.Getuid() != 0 {
		return program, args
	}
	return "setpriv", append([]string{"--reuid", owner, "--regid", owner, "--clear-groups", program}, args...)
}

func (l *Lab) postfix(address, cert, key, more string) {
	dir, data := l.home("postfix"), l.home("postfix")
	spool := l.home("root")
	config := fmt.Sprintf("compatibility_level = 3.6\nqueue_directory = %s\ndata_directory = %s\ncommand_directory = /usr/sbin\ndaemon_directory = /usr/lib/postfix/sbin\n"+
		"mail_owner = postfix\nsetgid_group = postdrop\nmyhostname = %s\nmydestination =\nmynetworks = 127.0.0.0/8\ninet_interfaces = 127.0.0.1\ninet_protocols = ipv4\n"+
		"maillog_file = /dev/stdout\n", spool, data, Host)
	if cert != "" {
		config += fmt.Sprintf("smtpd_tls_cert_file = %s\nsmtpd_tls_key_file = %s\nsmtpd_tls_security_level = may\n", cert, key)
	}
	must(0, os.WriteFile(filepath.Join(dir, "main.cf"), []byte(config+more), 0o644))
	services := address + " inet n - n - - smtpd\npostlog unix-dgram n - n - 1 postlogd\ntlsmgr unix - - n 1000? 1 tlsmgr\nanvil unix - - n - 1 anvil\n" +
		"rewrite unix - - n - - trivial-rewrite\nproxymap unix - - n - - proxymap\ncleanup unix n - n - 0 cleanup\n"
	must(0, os.WriteFile(filepath.Join(dir, "master.cf"), []byte(services), 0o644))
	must(0, os.Chown(dir, 0, 0))
	if out, err := exec.Command("postfix", "-c", dir, "check").CombinedOutput(); err != nil { // it makes the queue's directories
		panic(labError{fmt.Errorf("checking Postfix: %w: %s", err, out)})
	}
	l.run(address, "/usr/lib/postfix/sbin/master", "-c", dir, "-s")
}

// dovecot starts one of Dovecot's login services.
func dovecot(service, listener string) func(l *Lab, address, cert, key, more string) {
	return func(l *Lab, address, cert, key, more string) {
		_, port, _ := strings.Cut(address, ":")
		secure := "ssl = no\n"
		if cert != "" {
			secure = fmt.Sprintf("ssl = yes\nssl_cert = <%s\nssl_key = <%s\n", cert, key)
		}
		closed := map[string]string{"imap": "  inet_listener imaps {\n    port = 0\n  }\n", "pop3": "  inet_listener pop3s {\n    port = 0\n  }\n"}[listener]
		l.run(address, "dovecot", "-F", "-c", l.write("dovecot.conf", []byte(fmt.Sprintf("base_dir = %s\nstate_dir = %s\nlog_path = /dev/stderr\nprotocols = %s\nlisten = 127.0.0.1\n%s"+
			"passdb {\n  driver = static\n  args = nopassword=y\n}\nuserdb {\n  driver = static\n  args = uid=nobody gid=nogroup home=/nonexistent\n}\nmail_location = maildir:/nonexistent\n"+
			"service %s {\n  inet_listener %s {\n    port = %s\n  }\n%s}\n%s", l.home("root"), l.home("root"), listener, secure, service, listener, port, closed, more))))
	}
}

// postgresProgram returns the path of one of PostgreSQL's programs, which Debian keeps by version; the bare name if there is none.
func postgresProgram(name string) string {
	if paths, _ := filepath.Glob("/usr/lib/postgresql/*/bin/" + name); len(paths) > 0 {
		return paths[len(paths)-1]
	}
	return name
}

func (l *Lab) postgres(address, cert, key, _ string) {
	dir := l.home("postgres")
	data := filepath.Join(dir, "data")
	program, args := as("postgres", postgresProgram("initdb"), "-D", data, "-A", "trust", "-N")
	if out, err := exec.Command(program, args...).CombinedOutput(); err != nil { // the lab's own directory
		panic(labError{fmt.Errorf("making a database: %w: %s", err, out)})
	}
	_, port, _ := strings.Cut(address, ":")
	args = []string{"-D", data, "-h", "127.0.0.1", "-p", port, "-k", dir}
	if cert != "" {
		l.give("postgres", cert, key)
		args = append(args, "-c", "ssl=on", "-c", "ssl_cert_file="+cert, "-c", "ssl_key_file="+key)
	}
	program, args = as("postgres", postgresProgram("postgres"), args...)
	l.run(address, program, args...)
}

func (l *Lab) mariadb(address, cert, key, _ string) {
	dir := l.home("nobody")
	_, port, _ := strings.Cut(address, ":")
	args := []string{"--no-defaults", "--datadir=" + dir, "--skip-grant-tables", "--bind-address=127.0.0.1", "--port=" + port, "--socket=" + filepath.Join(dir, "socket"), "--innodb-log-file-size=4M"}
	if os.Getuid() == 0 {
		args = append(args, "--user=nobody")
	}
	if cert != "" {
		l.give("nobody", cert, key)
		args = append(args, "--ssl-cert="+cert, "--ssl-key="+key)
	}
	l.run(address, "mariadbd", args...)
}

func (l *Lab) slapd(address, cert, key, more string) {
	config := fmt.Sprintf("pidfile %s/slapd.pid\n", l.home("root"))
	if cert != "" {
		config += fmt.Sprintf("TLSCertificateFile %s\nTLSCertificateKeyFile %s\n", cert, key)
	}
	l.run(address, "slapd", "-h", "ldap://"+address, "-f", l.write("slapd.conf", []byte(config+more)), "-d", "0")
}

func (l *Lab) vsftpd(address, cert, key, more string) {
	_, port, _ := strings.Cut(address, ":")
	config := fmt.Sprintf("listen=YES\nlisten_address=127.0.0.1\nlisten_port=%s\nbackground=NO\nanonymous_enable=YES\nsecure_chroot_dir=%s\nseccomp_sandbox=NO\n", port, l.home("root"))
	if cert != "" {
		config += fmt.Sprintf("ssl_enable=YES\nrsa_cert_file=%s\nrsa_private_key_file=%s\n", cert, key)
	}
	l.run(address, "vsftpd", l.write("vsftpd.conf", []byte(config+more)))
}

// prosody starts Prosody for its clients or for other servers.
func prosody(ports string) func(l *Lab, address, cert, key, more string) {
	return func(l *Lab, address, cert, key, more string) {
		_, port, _ := strings.Cut(address, ":")
		dir := l.home("root")
		others := map[string]string{"c2s_ports": "s2s_ports", "s2s_ports": "c2s_ports"}[ports]
		module := strings.TrimSuffix(ports, "_ports")
		config := fmt.Sprintf("run_as_root = true\npidfile = %q\ndata_path = %q\ninterfaces = { \"127.0.0.1\" }\n%s = { %s }\n%s = { }\nlog = { info = \"*console\" }\n", dir+"/pid", dir, ports, port, others)
		if cert == "" {
			config += fmt.Sprintf("modules_enabled = { \"saslauth\", %q }\nmodules_disabled = { \"tls\" }\n%s_require_encryption = false\nVirtualHost %q\n", module, module, Host)
		} else {
			config += fmt.Sprintf("modules_enabled = { \"tls\", \"saslauth\", %q }\nVirtualHost %q\n  ssl = { key = %q, certificate = %q }\n", module, Host, key, cert)
		}
		l.run(address, "prosody", "--config", l.write("prosody.cfg.lua", []byte(config+more)), "-F")
	}
}
