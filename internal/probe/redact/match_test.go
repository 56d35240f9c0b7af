package redact

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html"
	"net/url"
	"strings"
	"testing"

	"certdrift/internal/target"
)

// TestSecretsSpelled: an echo in any encoding, or in a mixture of them, shows nothing of a token.
func TestSecretsSpelled(t *testing.T) {
	const token = "S3cr3t/Tok+en=42&é%z"
	secrets := New(target.Request{Headers: []target.Header{{Name: "X-Token", Value: token}}})
	whole := base64.StdEncoding.EncodeToString([]byte(token + "x"))
	padded := New(target.Request{Headers: []target.Header{{Name: "X-Token", Value: token + "x"}}})
	for name, echo := range map[string]string{
		"as it is":                 token,
		"as PHP writes JSON":       `S3cr3t\/Tok+en=42&\u00e9%z`,
		"JSON fit for a page":      `S3cr3t\/Tok+en=42\u0026\u00E9%z`,
		"percent signs":            url.QueryEscape(token),
		"small percent signs":      strings.ReplaceAll(url.QueryEscape(token), "%2F", "%2f"),
		"some percent signs":       "S3cr3t/Tok%2Ben=42&%c3%a9%z",
		"numbers for a page":       "S3cr3t&#47;Tok&#x2B;en&equals;42&amp;&eacute;%z",
		"in small letters":         "s3cr3t/tok+en=42&é%z",
		"folded":                   "S3cr3t/Tok+\r\n en=42&é%z",
		"folded in JSON":           `S3cr3t/Tok+\r\nen=42&é%z`,
		"in hexadecimal":           fmt.Sprintf("%X", token),
		"base64 for URLs":          base64.URLEncoding.EncodeToString([]byte(token)),
		"base64 with a URL around": url.QueryEscape(base64.StdEncoding.EncodeToString([]byte(token))),
	} {
		if shown := secrets.Show("a "+echo+" b", 200); shown != "a [secret] b" {
			t.Errorf("%s: %q shows %q", name, echo, shown)
		}
	}
	if shown := padded.Show(whole[:12]+"\r\n"+strings.TrimRight(whole[12:], "="), 200); shown != "[secret]" {
		t.Errorf("base64 in lines and without padding: %q", shown)
	}
	if shown := secrets.Show(hex.EncodeToString([]byte("S3cr3t/Tok"))+" s3c", 200); strings.Contains(shown, "[secret]") {
		t.Errorf("what is no token is hidden: %q", shown)
	}
}

// TestSecretsCut: a text truncated in the middle of a token, or of an escape in it, shows no part of it.
func TestSecretsCut(t *testing.T) {
	secrets := New(target.Request{Headers: []target.Header{{Name: "X-Token", Value: "S3cr3t/Token"}}})
	for _, part := range []string{"S3c", "S3cr3t/Toke", "S3cr3t%", "S3cr3t%2", `S3cr3t\`, "S3cr3t&#4", "S3cr3t%2FTok"} {
		if shown := secrets.Excerpt([]byte("sent "+part), true); shown != "sent [secret]" {
			t.Errorf("the excerpt of %q shows %q", part, shown)
		}
	}
	for echo, want := range map[string]string{`malformed "S3cr3t/Tok…`: `malformed "[secret]…`, `the URL "S3cr3t%2FTo…" is none`: `the URL "[secret]…" is none`} {
		if shown := secrets.Show(echo, 200); shown != want {
			t.Errorf("%s shows %s", echo, shown)
		}
	}
	if shown := secrets.Excerpt([]byte("sent S3cr3t"), false); shown != "sent S3cr3t" {
		t.Errorf("a body that is whole: %q", shown)
	}
	long := strings.Repeat("x", 190) + "S3cr3t/Token"
	if shown := secrets.Show(strings.Repeat(long, 100), 200); strings.Contains(strings.ToLower(shown), "s3c") {
		t.Errorf("a long text: %q", shown)
	}
}

// TestSecretsEscaped: pages and APIs echo in encodings of their own.
func TestSecretsEscaped(t *testing.T) {
	const password = `pa"ss\w&r<d`
	secrets := New(target.Request{Username: "scraper", Password: password})
	asJSON, err := json.Marshal(password)
	if err != nil {
		t.Fatal(err)
	}
	for _, echo := range []string{
		password, html.EscapeString(password), url.QueryEscape(password), string(asJSON), `"pa\"ss\\w&r<d"`,
	} {
		if shown := secrets.Show("<p>"+echo+"</p>", 200); strings.Contains(shown, "ss") || !strings.Contains(shown, "[secret]") {
			t.Errorf("%s is shown: %s", echo, shown)
		}
	}
	token := New(target.Request{Headers: []target.Header{{Name: "Authorization", Value: `Bearer abc/def+"'ghi`}}})
	for _, echo := range []string{
		`abc\/def+\"'ghi`, "YWJjL2RlZisiJ2doaQ==", `abc/def\u002b\"'ghi`, `abc/def+&quot;&#039;ghi`, `abc/def+&#34;&#39;ghi`,
	} {
		if shown := token.Show(echo, 200); strings.Contains(shown, "ghi") || strings.Contains(shown, "YWJj") {
			t.Errorf("%s is shown: %s", echo, shown)
		}
	}
}

// FuzzSecretsSpelled checks that the result contains no token, and that nothing else is removed.
func FuzzSecretsSpelled(f *testing.F) {
	f.Add("a S3cr3t/Token b", "S3cr3t/Token", true)
	f.Add(`\u0053\ud83d%`, "S3cr😀", true)
	f.Add("&#;%zz\\", "&#;%", false)
	f.Fuzz(func(t *testing.T, text, token string, cut bool) {
		secrets := New(target.Request{Headers: []target.Header{{Name: "X-Token", Value: target.Secret(token)}}})
		shown := secrets.hide(text, cut)
		for part := range strings.SplitSeq(shown, "[secret]") {
			if len(token) >= minSecret && strings.Contains(part, token) {
				t.Errorf("%q in %q is shown: %q", token, text, shown)
			}
		}
		if !strings.Contains(shown, "[secret]") && shown != text {
			t.Errorf("%q became %q", text, shown)
		}
	})
}
