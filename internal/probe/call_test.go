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
	if err := Call(context.Background(), server.URL+"/token"); err != nil || asked != "/token " {
		t.Errorf("asked for %q: %v", asked, err)
	}
	if err := Call(context.Background(), server.URL+"/moved/secret"); err == nil || strings.Contains(err.Error(), "secret") || strings.Count(asked, "token") != 1 {
		t.Errorf("asked for %q: %v; want the redirect told, not followed, and no token shown", asked, err)
	}
	before := asked
	if err := Call(context.Background(), strings.Replace(server.URL, "127.0.0.1", "0.0.0.0", 1)+"/token"); err == nil || asked != before {
		t.Errorf("error %v, asked for %q: the address guard lets a switch be called anywhere", err, asked)
	}
	server.Close()
	if err := Call(context.Background(), server.URL+"/secret"); err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("error %v, want one without the token", err)
	}
	if err := Call(context.Background(), "http://[::1"); err == nil {
		t.Error("no error for what is no URL")
	}
}
