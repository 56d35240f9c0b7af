package probe

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"certdrift/internal/certtest"
)

func TestCall(t *testing.T) {
	asked := ""
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked += r.URL.Path + " "
		if strings.HasPrefix(r.URL.Path, "/moved") {
			http.Redirect(w, r, "/token", http.StatusFound)
		}
	}))
	defer server.Close()
	if err := (Heartbeat{}).Call(context.Background(), server.URL+"/token"); err != nil || asked != "/token " {
		t.Errorf("asked for %q: %v", asked, err)
	}
	if err := (Heartbeat{}).Call(context.Background(), server.URL+"/moved/secret"); err == nil || strings.Contains(err.Error(), "secret") || strings.Count(asked, "token") != 1 {
		t.Errorf("asked for %q: %v; want the redirect told, not followed, and no token shown", asked, err)
	}
	before := asked
	api := Heartbeat{RuntimeAPI: server.Listener.Addr().String()}
	if err := api.Call(context.Background(), server.URL+"/token"); err == nil || asked != before {
		t.Errorf("error %v, asked for %q: a heartbeat URL consumes the function's next event", err, asked)
	}
	for host, want := range map[string]bool{"127.0.0.1": true, "localhost": true, "switch.test": false} { // as if each led there
		conn, err := (Heartbeat{}).dialer(host).DialContext(t.Context(), "tcp", server.Listener.Addr().String())
		if err == nil {
			_ = conn.Close()
		}
		if (err == nil) != want {
			t.Errorf("%s leads to loopback: got %v, want it dialed: %v", host, err, want)
		}
	}
	for address, want := range map[string]bool{"93.184.215.14:443": true, "10.0.0.9:443": true, "127.0.0.1:443": false, "169.254.169.254:80": false, "[::ffff:169.254.169.254]:80": false} {
		if err := (Heartbeat{}).dialer("beat.test").Control("tcp", address, nil); (err == nil) != want {
			t.Errorf("a name that leads to %s: got %v, want it dialed: %v", address, err, want)
		}
	}
	server.Close()
	if err := (Heartbeat{}).Call(context.Background(), server.URL+"/secret"); err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("error %v, want one without the token", err)
	}
	if err := (Heartbeat{}).Call(context.Background(), "http://[::1"); err == nil {
		t.Error("no error for what is no URL")
	}
}

// TestHeartbeatEcho: a server that echoes the request, whose path and query are secret, in what net/http cannot read.
func TestHeartbeatEcho(t *testing.T) {
	const asked = "/S3cr3tPath?token=S3cr3tToken"
	for what, response := range map[string]string{
		"a status":   "HTTP/1.1 " + asked + "\r\n\r\n",
		"the line":   "GET " + asked + " HTTP/1.1\r\n\r\n",
		"a header":   "HTTP/1.1 200 OK\r\n" + asked + "\r\n\r\n",
		"a location": "HTTP/1.1 302 Found\r\nLocation: http://[::1" + asked + "\r\n\r\n",
		"a bound":    "HTTP/1.1 200 OK\r\nresponse headers exceeded " + asked + "\r\n\r\n",
	} {
		address := certtest.Serve(t, "127.0.0.1", func(c net.Conn) {
			if _, err := http.ReadRequest(bufio.NewReader(c)); err == nil {
				_, _ = io.WriteString(c, response)
			}
		})
		err := Heartbeat{}.Call(t.Context(), "http://user:S3cr3tPassword@"+address+asked)
		if err == nil || strings.Contains(err.Error(), "S3cr3t") || !strings.Contains(err.Error(), "not valid HTTP") {
			t.Errorf("%s: got %v, want an error without the request", what, err)
		}
	}
	address := certtest.Serve(t, "127.0.0.1", certtest.HangUp)
	if err := (Heartbeat{}).Call(t.Context(), "http://"+address+asked); err == nil || !strings.Contains(err.Error(), "EOF") {
		t.Errorf("a server that hangs up: got %v, want the reason", err)
	}
}
