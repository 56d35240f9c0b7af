package probe

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
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
	server.Close()
	if err := (Heartbeat{}).Call(context.Background(), server.URL+"/secret"); err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("error %v, want one without the token", err)
	}
	if err := (Heartbeat{}).Call(context.Background(), "http://[::1"); err == nil {
		t.Error("no error for what is no URL")
	}
}
