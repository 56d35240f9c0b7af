package redact

import (
	"net/url"
	"strings"
	"testing"
)

func TestURL(t *testing.T) {
	for text, want := range map[string]string{
		"https://a.test/x":                            "https://a.test/x",
		"https://user:s3cr3t@a.test/x?token=s3cr3t":   "https://a.test/x?token=[secret]",
		"/x?token=s3cr3t&page=&n=1":                   "/x?token=[secret]&page=&n=[secret]",
		"/x?s3cr3t":                                   "/x?[secret]",
		"/x?s3cr3t&page=&&s3cr3t#s3cr3t&state=s3cr3t": "/x?[secret]&page=&&[secret]#[secret]&state=[secret]",
		"/x?":                                  "/x?",
		"/x?=s3cr3t":                           "/x?=[secret]",
		"?a=s3cr3t;b=s3cr3t":                   "?a=[secret]",
		"?a=x=s3cr3t":                          "?a=[secret]",
		"?token%3Ds3cr3t":                      "?token=[secret]",
		"/x?a=b?c=s3cr3t":                      "/x?a=[secret]",
		"/x?a=s3cr3t with spaces \"s3cr3t\"":   "/x?a=[secret]",
		"/x#access_token=s3cr3t&state=s3cr3t":  "/x#access_token=[secret]&state=[secret]",
		"/x?a=1#section":                       "/x?a=[secret]#section",
		"<https://a.test/?t=s3cr3t>; rel=next": "<https://a.test/?t=[secret]",
		"text/html; charset=utf-8":             "text/html; charset=utf-8",
		"javascript:location='//u:s3cr3t@b.test/?k=s3cr3t'": "javascript:location='//b.test/?k=[secret]",
		"": "",
	} {
		if got := URL(text); got != want {
			t.Errorf("%s becomes %s, want %s", text, got, want)
		}
	}
}

func TestURLs(t *testing.T) {
	for message, want := range map[string]string{
		`unknown key "https://u:p/w@a.test/?x=y z": see the list`: `unknown key "https://…": see the list`,
		`"https://a\"b", and "ftp://c" too`:                       `"https://…", and "ftp://…" too`,
		"not quoted: https://u:p@a.test/":                         "not quoted: https://…",
		`no file "s3://bucket/k8s/a.yaml"`:                        `no file "s3://bucket/k8s/a.yaml"`,
		`cut off "https://a\`:                                     `cut off "https://…`,
		"no URL":                                                  "no URL",
	} {
		if got := URLs(message); got != want {
			t.Errorf("%s becomes %s, want %s", message, got, want)
		}
	}
}

// FuzzURL: a value of a query that can be parsed does not stay, and a name does.
func FuzzURL(f *testing.F) {
	f.Add("https://a.test/?token=x&b", "token", "S3cr3tValue")
	f.Add("//u:p@h?", "a%3D", "%41")
	f.Add("/?a&b", "", "S3cr3tValue")
	f.Fuzz(func(t *testing.T, text, name, value string) {
		if URL(URL(text)) != URL(text) {
			t.Errorf("%q: hidden twice is %q", text, URL(URL(text)))
		}
		marked := "S3cr3t" + value + "S3cr3t"
		shown := URL("https://a.test/?" + url.Values{name: {marked}}.Encode())
		if strings.Contains(shown, "S3cr3t") && !strings.Contains(name, "S3cr3t") {
			t.Errorf("%q is shown: %s", marked, shown)
		}
		if bare := url.QueryEscape(marked); strings.Contains(URL("/?"+bare+"&"+url.QueryEscape(name)+"#top"), bare) {
			t.Errorf("%q is shown", bare)
		}
	})
}
