package redact

import (
	"strings"
	"testing"
)

func TestTyped(t *testing.T) {
	for arg, want := range map[string]string{
		"https://me:s3cr3t@a.test/x?token=s3cr3t&s3cr4t#s3cr5t": "https://[secret]@a.test/x?token=[secret]&[secret]#[secret]",
		"https://s3cr3t@a.test/x":                               "https://[secret]@a.test/x",
		"https://me:s3/cr?3#t@a.test/":                          "https://[secret]@a.test/",
		"https:/me:s3cr3t@a.test/":                              "https:/[secret]@a.test/",
		"https:me:s3cr3t@a.test/":                               "https:[secret]@a.test/",
		"//me:s3cr3t@a.test/":                                   "//[secret]@a.test/",
		"me:s3cr3t@a.test":                                      "[secret]@a.test",
		"a.test/?s3cr3t":                                        "a.test/?[secret]",
		"--output=https://me:s3cr3t@a.test/?a=s3cr4t":           "--output=https://[secret]@a.test/?a=[secret]",
		"https://a.test/?to=me@b.test&token=s3cr3t":             "https://[secret]@b.test&token=[secret]",
		"ops@a.test":                                            "ops@a.test",
		"certdrift.yaml":                                        "certdrift.yaml",
		"--fail-on=warning":                                     "--fail-on=warning",
		"arn:aws:acm:us-west-2:111122223333:certificate/s3":     "arn:aws:acm:us-west-2:111122223333:certificate/s3",
	} {
		shown := Typed([]string{"check", arg}).Message("unknown argument \"" + arg + "\"")
		if shown != "unknown argument \""+want+"\"" {
			t.Errorf("%s is shown as %s, want %s", arg, shown, want)
		}
		if dir := Typed([]string{arg}).Message("no directory \"" + strings.ReplaceAll(arg, "//", "/") + "\""); strings.Contains(dir, "s3cr") {
			t.Errorf("a part of %s is shown: %s", arg, dir)
		}
	}
}
