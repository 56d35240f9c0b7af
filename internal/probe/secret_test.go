package probe

import (
	"encoding/json"
	"fmt"
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
