package judge

import "testing"

func TestShell(t *testing.T) {
	for word, want := range map[string]string{
		"arn:aws:iam::1:server-certificate/a/b": "arn:aws:iam::1:server-certificate/a/b",
		"":                                      "''",
		"a b":                                   "'a b'",
		"$(rm -rf)":                             "'$(rm -rf)'",
		"it's":                                  `'it'\''s'`,
	} {
		if got := shell(word); got != want {
			t.Errorf("shell(%q) = %s, want %s", word, got, want)
		}
	}
}
