package topology

import "testing"

func TestShell(t *testing.T) {
	for word, want := range map[string]string{
		"arn:aws:iam::1:server-certificate/a/b": "arn:aws:iam::1:server-certificate/a/b",
		"":                                      "''",
		"a b":                                   "'a b'",
		"$(rm -rf)":                             "'$(rm -rf)'",
		"it's":                                  `'it'\''s'`,
	} {
		if got := Shell(word); got != want {
			t.Errorf("Shell(%q) = %s, want %s", word, got, want)
		}
	}
}
