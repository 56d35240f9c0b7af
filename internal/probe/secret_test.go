package probe

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"certdrift/internal/target"
)

// TestExpectedSecret: an endpoint that must echo a token is checked for it, and the saved observation does not contain it.
func TestExpectedSecret(t *testing.T) {
	const token = "S3cr3t/Token"
	equals := token
	body := fmt.Sprintf(`{"echo": %q}`, token)
	e := raw(t, fmt.Sprintf("HTTP/1.1 200 OK\r\nX-Echo: %s\r\nContent-Length: %d\r\n\r\n%s", token, len(body), body))
	e.Request.Headers = []target.Header{{Name: "X-Token", Value: token}}
	e.Expect = target.Expect{
		BodyContains: token, BodyMatches: "other " + token, BodyJSON: []target.JSONValue{{Path: "$.echo", Equals: &equals}},
		Headers: []target.HeaderValue{{Name: "X-Echo", Contains: token}},
	}
	seen := observe(t, e)
	if unmet := one(t, seen).HTTP.Unmet; len(unmet) != 1 {
		t.Errorf("got %+v", unmet)
	}
	saved, err := json.Marshal(seen)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(saved), token) || !strings.Contains(string(saved), `"contains":"[secret]"`) {
		t.Errorf("saved: %s", saved)
	}
	if e.Expect.Headers[0].Contains != token || equals != token {
		t.Error("the configuration itself was changed")
	}
}

// TestExcerptEndsInASecret: the start of a body that is kept may end in the middle of a secret, and this part is hidden as well.
func TestExcerptEndsInASecret(t *testing.T) {
	token := strings.Repeat("S3cr3t/Token", 10)
	body := strings.Repeat(token+" ", excerptBytes/len(token)+2)
	e := raw(t, fmt.Sprintf("HTTP/1.1 500 X\r\nContent-Length: %d\r\n\r\n%s", len(body), body))
	e.Request.Headers = []target.Header{{Name: "X-Token", Value: target.Secret(token)}}
	if shown := one(t, observe(t, e)).HTTP.Excerpt; strings.Contains(shown, "S3c") || !strings.Contains(shown, "[secret]") {
		t.Errorf("the excerpt is %s", shown)
	}
}

// TestHostOfASecret: a server that redirects to a name made of what it was sent, which does not resolve or is not allowed.
func TestHostOfASecret(t *testing.T) {
	page := plainWeb(t, "127.0.0.1", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Location", "https://"+r.Header.Get("X-Token")+".evil.test/"+r.Header.Get("X-Token"))
		w.WriteHeader(http.StatusFound)
	})
	for _, z := range []zone{{}, {"s3cr3ttoken.evil.test": {"127.0.0.2"}}} {
		e := at(t, target.HTTP, page, func(e *target.Endpoint) { e.Request.Headers = []target.Header{{Name: "X-Token", Value: "S3cr3tToken"}} })
		seen := observe(t, e, resolving(z))
		saved, err := json.Marshal(seen)
		if err != nil {
			t.Fatal(err)
		}
		if hops := one(t, seen).HTTP.Hops; len(hops) != 1 || hops[0].Host != "[secret].evil.test" || strings.Contains(strings.ToLower(string(saved)), "s3cr3t") {
			t.Errorf("saved: %s", saved)
		}
	}
}
