package finding

import (
	"strings"
	"testing"
)

func TestClean(t *testing.T) {
	for remote, want := range map[string]string{
		"plain text, ünïcödé":                    "plain text, ünïcödé",
		"\x1b[31m\r\n\x7f":                       `\x1b[31m\x0d\x0a\x7f`,
		"\u202e\u2028\u200b":                     `\u{202e}\u{2028}\u{200b}`,
		"a\xff":                                  `a\xff`,
		"##[error]x":                             `#\x23[error]x`,
		"at the end ##vso[task.setvariable v=a]": `at the end #\x23vso[task.setvariable v=a]`,
		"###[x] ##teamcity[x":                    `##\x23[x] #\x23teamcity[x`,
		"# [a] ## [b] #c[0] ##d":                 "# [a] ## [b] #c[0] ##d",
		"##":                                     "##",
	} {
		got := Clean(remote, 200)
		if got != want {
			t.Errorf("%q: got %q, want %q", remote, got, want)
		}
		if again := Clean(got, 200); again != got {
			t.Errorf("%q: once more it is %q", got, again)
		}
	}
	if got := Clean(strings.Repeat("é", 10), 4); got != "éééé…" {
		t.Errorf("cut: %q", got)
	}
}
