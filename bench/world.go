package main

import (
	"bufio"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"certdrift/internal/sim/pki"
)

// world is the servers of one kind of chain.
type world struct {
	Name    string   `json:"name"`
	Root    string   `json:"root"` // a file, PEM
	Address string   `json:"address"`
	Silent  string   `json:"silent"` // an address that accepts connections and answers nothing
	Hosts   []string `json:"hosts"`
}

// chains are the kinds: P-256 throughout, and what most of the web serves.
var chains = []struct {
	name                       string
	root, intermediate, server func() (crypto.Signer, error)
}{
	{"P-256", ecKey(elliptic.P256()), ecKey(elliptic.P256()), ecKey(elliptic.P256())},
	{"Let's-Encrypt-like", rsaKey(4096), ecKey(elliptic.P384()), ecKey(elliptic.P256())},
}

func ecKey(curve elliptic.Curve) func() (crypto.Signer, error) {
	return func() (crypto.Signer, error) { return ecdsa.GenerateKey(curve, rand.Reader) }
}

func rsaKey(bits int) func() (crypto.Signer, error) {
	return func() (crypto.Signer, error) { return rsa.GenerateKey(rand.Reader, bits) }
}

// serve serves the worlds until its standard input ends, each host with a certificate of its own, and prints where they are.
func serve(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("serve", flag.ContinueOnError)
	dir := flags.String("dir", ".", "where to write the roots")
	hosts := flags.Int("hosts", 1000, "how many hosts each world has")
	if err := flags.Parse(args); err != nil {
		return fmt.Errorf("reading the flags: %w", err)
	}
	var worlds []world
	for i := range chains {
		w, err := serveWorld(ctx, i, *dir, *hosts)
		if err != nil {
			return fmt.Errorf("serving the world %q: %w", chains[i].name, err)
		}
		worlds = append(worlds, w)
	}
	if err := json.NewEncoder(out).Encode(worlds); err != nil {
		return fmt.Errorf("printing the worlds: %w", err)
	}
	_, err := io.Copy(io.Discard, os.Stdin)
	return err //nolint:wrapcheck // the end of the process
}

func serveWorld(ctx context.Context, i int, dir string, hosts int) (world, error) {
	kind := chains[i]
	w := world{Name: kind.name, Root: filepath.Join(dir, fmt.Sprintf("root%d.pem", i))}
	var keys [3]crypto.Signer
	for k, generate := range []func() (crypto.Signer, error){kind.root, kind.intermediate, kind.server} {
		var err error
		if keys[k], err = generate(); err != nil {
			return w, fmt.Errorf("making a key: %w", err)
		}
	}
	now := time.Now()
	root, err := pki.RootWithKey("bench root "+kind.name, now, keys[0])
	if err != nil {
		return w, err //nolint:wrapcheck // it names the certificate
	}
	intermediate, err := root.IntermediateWithKey("bench intermediate "+kind.name, now, keys[1])
	if err != nil {
		return w, err //nolint:wrapcheck // it names the certificate
	}
	if err := os.WriteFile(w.Root, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: root.Certificate.Raw}), 0o600); err != nil {
		return w, fmt.Errorf("writing the root: %w", err)
	}
	certificates := make(map[string]*tls.Certificate, hosts)
	for n := range hosts {
		host := fmt.Sprintf("h%05d.world%d.example.org", n, i)
		leaf, err := intermediate.LeafWithKey(now, []string{host}, keys[2])
		if err != nil {
			return w, err //nolint:wrapcheck // it names the certificate
		}
		pair := leaf.TLS()
		certificates[host], w.Hosts = &pair, append(w.Hosts, host)
	}
	config := &tls.Config{NextProtos: []string{"http/1.1"}, GetCertificate: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
		return certificates[hello.ServerName], nil
	}}
	if w.Address, err = listen(ctx, func(conn net.Conn) { respond(tls.Server(conn, config)) }); err != nil {
		return w, err
	}
	w.Silent, err = listen(ctx, func(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) })
	return w, err
}

// listen accepts connections on loopback.
func listen(ctx context.Context, handle func(net.Conn)) (string, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("listening on loopback: %w", err)
	}
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close() //nolint:errcheck // the connection is over either way
				handle(conn)
			}()
		}
	}()
	return listener.Addr().String(), nil
}

// respond answers one request, with as little work as possible.
func respond(conn net.Conn) {
	_ = conn.SetDeadline(time.Now().Add(time.Minute)) // a connection of the system has one
	request, err := http.ReadRequest(bufio.NewReader(conn))
	if err != nil {
		return
	}
	body := "ok"
	if request.Method == http.MethodHead {
		body = ""
	}
	_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\nConnection: close\r\n\r\n"+body)
	_ = conn.Close()
}

// startWorlds starts the servers in a process of their own, on the second processor if there is one.
func startWorlds(ctx context.Context, dir string, hosts int) ([]world, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("finding this program: %w", err)
	}
	cmd := pinned(ctx, serversCPU, self, "serve", "-dir", dir, "-hosts", fmt.Sprint(hosts))
	cmd.Stderr = os.Stderr
	if _, err := cmd.StdinPipe(); err != nil { // it ends when this process does
		return nil, fmt.Errorf("starting the servers: %w", err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("starting the servers: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting the servers: %w", err)
	}
	var worlds []world
	if err := json.NewDecoder(out).Decode(&worlds); err != nil {
		return nil, fmt.Errorf("reading where the servers are: %w", err)
	}
	return worlds, nil
}

// configuration is certdrift's for a world; hanging of its endpoints, spread evenly, are where nobody answers.
func (w world) configuration(endpoints, hanging int) string {
	var b strings.Builder
	timeout := busyTimeout
	if hanging > 0 {
		timeout = hangTimeout
	}
	fmt.Fprintf(&b, "version: 1\ntrust: {roots: mozilla, ca_files: [%s]}\ndefaults: {timeout: %v}\nenvironments:\n  bench:\n    endpoints:\n", filepath.Base(w.Root), timeout)
	for i := range endpoints {
		at := w.Address
		if hanging > 0 && i*hanging/endpoints != (i+1)*hanging/endpoints {
			at = w.Silent
		}
		fmt.Fprintf(&b, "      - {name: e%05d, url: 'https://%s/', connect_to: ['%s']}\n", i, w.Hosts[i], at)
	}
	return b.String()
}

// pool is the world's root as a trust store.
func (w world) pool() (*x509.CertPool, error) {
	text, err := os.ReadFile(w.Root)
	if err != nil {
		return nil, fmt.Errorf("reading the root: %w", err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(text)
	return pool, nil
}

// The processors of clients and servers, where taskset can choose them.
const (
	clientCPU  = "0"
	serversCPU = "1"
)

// pinned is a command on one processor.
func pinned(ctx context.Context, cpu, name string, args ...string) *exec.Cmd {
	if taskset, err := exec.LookPath("taskset"); err == nil {
		name, args = taskset, append([]string{"-c", cpu, name}, args...)
	}
	cmd := exec.CommandContext(ctx, name, args...) //nolint:gosec // the programs of this benchmark
	cmd.Env = append(os.Environ(), "GOMAXPROCS=1")
	return cmd
}
