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
