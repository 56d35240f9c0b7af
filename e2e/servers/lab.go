// Package servers runs bad and good servers to test certdrift as its users run it: through the command line, against live
// sockets on loopback. Go serves what it can; openssl s_server, nginx, haproxy and Apache serve the rest, and cases where the
// behavior of a real server matters.
//
// One catalogue has all cases, each with the exact findings that it must cause. The tests of this package check certdrift
// against it; e2e/accuracy runs curl and openssl s_client against the same servers, for docs/accuracy.md. Nothing leaves
// loopback.
package servers

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"certdrift/e2e/debian"
	"certdrift/internal/sim/pki"
)

// Host is the name of most cases.
const Host = "api.example.org"

// Lab is the environment of servers: a private PKI, a directory, and everything to close with it.
type Lab struct {
	Dir string
	Now time.Time
	// Root is the root that certdrift, curl and openssl trust. Sub is the intermediate that issues most leaves.
	Root, Sub *pki.Pair

	mu      sync.Mutex
	ends    []func()
	written int
}

// NewLab creates a lab; Close ends it.
func NewLab() (*Lab, error) {
	dir, err := os.MkdirTemp("", "certdrift-lab")
	if err != nil {
		return nil, fmt.Errorf("making the lab's directory: %w", err)
	}
	l := &Lab{Dir: dir, Now: time.Now()}
	l.onClose(func() { _ = os.RemoveAll(dir) })
	if l.Root, err = pki.Root("Lab Root", l.Now, l.own); err == nil {
		l.Sub, err = l.Root.Intermediate("Lab Intermediate", l.Now, l.own)
	}
	if err != nil {
		l.Close()
		return nil, fmt.Errorf("making the lab's CA: %w", err)
	}
	return l, nil
}

// own makes the name of a CA this lab's own: a browser that sees several labs must not see two certificates of one issuer and number.
func (l *Lab) own(c *x509.Certificate) { c.Subject.SerialNumber = filepath.Base(l.Dir) }

// Close stops every server and removes the lab's files.
func (l *Lab) Close() {
	l.mu.Lock()
	ends := l.ends
	l.ends = nil
	l.mu.Unlock()
	for i := len(ends) - 1; i >= 0; i-- {
		ends[i]()
	}
}

func (l *Lab) onClose(end func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ends = append(l.ends, end)
}

// labError carries an error of the lab itself out of a case's setup; Case.Start returns it.
type labError struct{ err error }

// must keeps the cases short: it panics with a labError.
func must[T any](v T, err error) T {
	if err != nil {
		panic(labError{err})
	}
	return v
}

// write writes a file into the lab's directory and returns its path.
func (l *Lab) write(name string, content []byte) string {
	l.mu.Lock()
	l.written++
	path := filepath.Join(l.Dir, fmt.Sprintf("%03d-%s", l.written, name))
	l.mu.Unlock()
	must(0, os.WriteFile(path, content, 0o600))
	return path
}

// leaf returns a certificate for Host under the lab's intermediate, valid apart from what opts change.
func (l *Lab) leaf(opts ...pki.Option) *pki.Pair { return l.leafFor([]string{Host}, opts...) }

func (l *Lab) leafFor(names []string, opts ...pki.Option) *pki.Pair {
	return must(l.Sub.Leaf(l.Now, names, opts...))
}

// listen accepts connections on a loopback address and handles each; it returns HOST:PORT.
func (l *Lab) listen(ip string, handle func(net.Conn)) string {
	listener := must(net.Listen("tcp", net.JoinHostPort(ip, "0")))
	l.accept(listener, handle)
	return listener.Addr().String()
}

func (l *Lab) accept(listener net.Listener, handle func(net.Conn)) {
	l.onClose(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close() //nolint:errcheck // the case is over
				handle(conn)
			}()
		}
	}()
}

// raw is listen on 127.0.0.1.
func (l *Lab) raw(handle func(net.Conn)) string { return l.listen("127.0.0.1", handle) }

// secured handles connections after a successful handshake.
func (l *Lab) secured(config *tls.Config, handle func(net.Conn)) string {
	return l.raw(func(conn net.Conn) {
		over := tls.Server(conn, config)
		if over.Handshake() == nil {
			handle(over)
			_ = over.CloseWrite()
		}
	})
}

// web serves HTTP over TLS, h2 included, at a loopback address.
func (l *Lab) web(ip string, config *tls.Config, handler http.Handler) string {
	listener := must(net.Listen("tcp", net.JoinHostPort(ip, "0")))
	server := &http.Server{Handler: handler, TLSConfig: config, ReadHeaderTimeout: time.Minute, ErrorLog: silent()}
	l.onClose(func() { _ = server.Close() })
	go func() { _ = server.ServeTLS(listener, "", "") }()
	return listener.Addr().String()
}

// plain serves HTTP without TLS.
func (l *Lab) plain(handler http.Handler) string {
	listener := must(net.Listen("tcp", "127.0.0.1:0"))
	server := &http.Server{Handler: handler, ReadHeaderTimeout: time.Minute, ErrorLog: silent()}
	l.onClose(func() { _ = server.Close() })
	go func() { _ = server.Serve(listener) }()
	return listener.Addr().String()
}

// run starts a program in the lab's directory that listens at address, and waits until it does.
func (l *Lab) run(address, name string, args ...string) {
	cmd := exec.Command(debian.Program(name), args...) // programs and arguments are this package's own
	cmd.Dir = l.Dir
	log := must(os.Create(filepath.Join(l.Dir, filepath.Base(name)+".log")))
	// s_server ends when its standard input does.
	stdin := must(cmd.StdinPipe())
	cmd.Stdout, cmd.Stderr = log, log
	must(0, cmd.Start())
	ended := make(chan struct{})
	go func() { _ = cmd.Wait(); close(ended) }()
	l.onClose(func() {
		_ = stdin.Close()
		_ = cmd.Process.Signal(syscall.SIGTERM) // some have children, and shared memory to return
		select {
		case <-ended:
		case <-time.After(5 * time.Second):
			_ = cmd.Process.Kill()
			<-ended
		}
		_ = log.Close()
	})
	for range 100 {
		if conn, err := net.Dial("tcp", address); err == nil {
			_ = conn.Close()
			return
		}
		select {
		case <-ended:
			said, _ := os.ReadFile(log.Name())
			panic(labError{fmt.Errorf("starting %s %q: it exited with the output %q", name, args, said)})
		case <-time.After(50 * time.Millisecond):
		}
	}
	panic(labError{fmt.Errorf("starting %s: %w", name, errors.New("it does not listen"))})
}

// reserve returns a loopback address where nothing listens. A socket of the lab's holds the port until the end, so that no
// other server gets it by chance; one that requests this port with SO_REUSEADDR does.
func (l *Lab) reserve() string {
	fd := must(syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0))
	l.onClose(func() { _ = syscall.Close(fd) })
	must(0, syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1))
	must(0, syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}))
	name, _ := must(syscall.Getsockname(fd)).(*syscall.SockaddrInet4)
	return fmt.Sprintf("127.0.0.1:%d", name.Port)
}
