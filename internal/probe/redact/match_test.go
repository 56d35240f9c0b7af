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
	token := strings.Repeat("S3cr3t/Token", 21)
	secrets = New(target.Request{Headers: []target.Header{{Name: "X-Token", Value: target.Secret(token)}}})
	if shown := secrets.Show(strings.Repeat(token+" ", 100), 200); strings.Contains(shown, "S3c") {
		t.Errorf("a text that is searched to the middle of a token: %q", shown)
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
			if len(token) >= minAnywhere && strings.Contains(part, token) {
				t.Errorf("%q in %q is shown: %q", token, text, shown)
			}
		}
		if !strings.Contains(shown, "[secret]") && shown != text {
			t.Errorf("%q became %q", text, shown)
		}
	})
}

// TestShortSecrets: a secret of fewer than four characters is hidden where it is a word of its own, in every encoding. Within
// other words it stays: hiding it there would show it.
func TestShortSecrets(t *testing.T) {
	secrets := New(target.Request{Username: "me", Password: "k9!", Query: "pin=7&id=4f", Headers: []target.Header{{Name: "X-Pin", Value: "42"}}})
	for echo, want := range map[string]string{
		`{"user":"me","pin":42}`:         `{"user":"[secret]","pin":[secret]}`,
		"pin=7&id=4f":                    "pin=[secret]&id=[secret]",
		"?q%3D42%26user%3Dme":            "?q%3D[secret]%26user%3D[secret]",
		`pin\u003d42\nme\n`:              `pin\u003d[secret]\n[secret]\n`,
		"?q%253D42%2526user%253Dme":      "?q%253D[secret]%2526user%253D[secret]",
		"<b>k9!</b> k9%21 k9&#33;":       "<b>[secret]</b> [secret] [secret]",
		"the time is 1420, some message": "the time is 1420, some message",
		"me:k9! is " + base64.StdEncoding.EncodeToString([]byte("me:k9!")): "[secret] is [secret]",
		base64.StdEncoding.EncodeToString([]byte("k9!")):                   "[secret]",
		"42": "[secret]",
	} {
		if shown := secrets.Show(echo, 200); shown != want {
			t.Errorf("%s shows %s, want %s", echo, shown, want)
		}
	}
}

// TestQueryValues: what a server echoes of the query's values, as written, decoded and encoded anew.
func TestQueryValues(t *testing.T) {
	secrets := New(target.Request{Query: "token=S3c%2Fr3t+x%21&empty=&b=%zz%41bc&b%2FreT0ken"})
	for _, echo := range []string{
		"S3c%2Fr3t+x%21", "S3c/r3t x!", "S3c%2fr3t%20x!", `S3c\/r3t x!`, "S3c&#x2F;r3t&#32;x!", "S3c/r3t+x!", "%zz%41bc",
		base64.StdEncoding.EncodeToString([]byte("S3c/r3t x!")), hex.EncodeToString([]byte("S3c/r3t x!")),
	} {
		if shown := secrets.Show("a "+echo+" b", 200); !strings.HasPrefix(shown, "a [secret]") || strings.Contains(shown, "r3t") || strings.Contains(shown, "41bc") {
			t.Errorf("%s shows %s", echo, shown)
		}
	}
	for _, echo := range []string{"b%2FreT0ken", "b/reT0ken", `b\/reT0ken`, base64.StdEncoding.EncodeToString([]byte("b/reT0ken"))} {
		if shown := secrets.Show("?"+echo, 200); shown != "?[secret]" {
			t.Errorf("a token that is a query on its own: %s shows %s", echo, shown)
		}
	}
}

// TestCarriesSecrets: what only the intended server may receive.
func TestCarriesSecrets(t *testing.T) {
	for _, c := range []struct {
		request target.Request
		want    bool
	}{
		{target.Request{}, false},
		{target.Request{Username: "me"}, true},
		{target.Request{Headers: []target.Header{{Name: "Accept", Value: "text/html"}, {Name: "X-Token"}}}, false},
		{target.Request{Headers: []target.Header{{Name: "X-Token", Value: "t"}}}, true},
		{target.Request{Query: "token=t"}, true},
		{target.Request{Query: "page=&token%3Dt"}, true},
		{target.Request{Query: "t0ken"}, true},
		{target.Request{Query: "page=&&n="}, false},
	} {
		if got := CarriesSecrets(c.request); got != c.want {
			t.Errorf("%q %v: got %v", c.request.Query.Reveal(), c.request.Headers, got)
		}
	}
}

// TestNestedEscapes: a URL as a value in another, as servers redirect to a login page; JSON and HTML in JSON.
func TestNestedEscapes(t *testing.T) {
	secrets := New(target.Request{Headers: []target.Header{{Name: "X-Token", Value: `S3c/r3t+x="`}}})
	for _, echo := range []string{
		"S3c%252Fr3t%252Bx%253D%2522", "S3c%25252Fr3t%25252Bx%25253D%252522", "S3c&amp;#47;r3t+x=&amp;quot;", "S3c&#37;2Fr3t&#37;2Bx&#37;3D&#37;22",
		`S3c\\/r3t+x=\\\"`, `S3c\\u002fr3t\\u002bx=\\u0022`, `S3c\u00252Fr3t\u00252bx\u00253d\u002522`,
	} {
		if shown := secrets.Show("a "+echo+" b", 200); shown != "a [secret] b" {
			t.Errorf("%s shows %s", echo, shown)
		}
	}
	percent := New(target.Request{Headers: []target.Header{{Name: "X-Token", Value: "Zq7/%25&<"}}})
	for _, echo := range []string{"Zq7/%25&<", "Zq7%2F%2525%26%3C", "Zq7%252F%252525%2526%253C", "Zq7%25252F%25252525%252526%25253C"} {
		if shown := percent.Show("a "+echo+" b", 200); shown != "a [secret] b" {
			t.Errorf("%s shows %s", echo, shown)
		}
	}
	// However deep a server nests, it neither hides what is no secret nor takes long.
	deep := strings.Repeat("%25", 1) + strings.Repeat("25", 2000) + "2F"
	if shown := secrets.hide(deep, false); shown != deep {
		t.Errorf("%.40s… became %.40s…", deep, shown)
	}
}

// TestDecodedSecrets: what a server decodes before it echoes: the credentials of a configured header, an escaped cookie.
func TestDecodedSecrets(t *testing.T) {
	secrets := New(target.Request{Headers: []target.Header{
		{Name: "Authorization", Value: target.Secret("basic " + base64.StdEncoding.EncodeToString([]byte("scraper:S3cr3t:pass")))},
		{Name: "Cookie", Value: "session=ab%2Fcd%2Bef; x=%zz%"},
	}})
	for echo, want := range map[string]string{
		"user scraper, password S3cr3t:pass": "user [secret], password [secret]", "scraper:S3cr3t:pass": "[secret]", "ab/cd+ef": "[secret]", "ab%2Fcd%2Bef": "[secret]",
	} {
		if shown := secrets.Show(echo, 200); shown != want {
			t.Errorf("%s shows %s, want %s", echo, shown, want)
		}
	}
}
