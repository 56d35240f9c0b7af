package prose

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"
)

// Wrapping loses no word, adds none, and makes no line too long that could be shorter.
func TestWrapKeepsEveryWord(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := strings.Join(rapid.SliceOf(rapid.StringMatching("[a-z`é]{1,30}")).Draw(t, "words"), " ")
		lines := Wrap(text, 40)
		if got := strings.Join(lines, " "); got != text {
			t.Fatalf("%q became %q", text, got)
		}
		for _, line := range lines {
			if utf8.RuneCountInString(line) > 40 && strings.Contains(line, " ") && !strings.Contains(line, "`") {
				t.Errorf("%q is too long", line)
			}
		}
	})
}

func TestSpan(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "a minute", time.Minute: "a minute", -90 * time.Minute: "90 minutes", 80 * time.Minute: "80 minutes", 24 * time.Hour: "24 hours", 47 * time.Hour: "47 hours", 48 * time.Hour: "2 days", 73 * time.Hour: "3 days",
	} {
		if got := Span(d); got != want {
			t.Errorf("%s: %q, want %q", d, got, want)
		}
	}
}

func TestVisibleJSON(t *testing.T) {
	for text, want := range map[string]string{
		"{\"a\": \"é\u202e\u009b\x7f😀\U000e0001 ##[x]\u2028\"}\n": `{"a": "é\u202e\u009b\u007f😀\udb40\udc01 #\u0023[x]\u2028"}` + "\n",
		"\"\xff\"": `"\ufffd"`,
		"":         "",
	} {
		if got := string(VisibleJSON([]byte(text))); got != want {
			t.Errorf("%q becomes %s, want %s", text, got, want)
		}
	}
}

func TestBrief(t *testing.T) {
	for text, want := range map[string]string{
		"lb:443 has certificate/a… (for *.example.org, until 2027-01-23) attached instead of certificate/b… (for x)": "lb:443 has certificate/a… attached instead of certificate/b…",
		"nothing to leave out (Service a/b)": "nothing to leave out (Service a/b)",
		"open (for eons":                     "open (for eons",
	} {
		if got := Brief(text); got != want {
			t.Errorf("%q becomes %q", text, got)
		}
	}
}

// Without what it adds, the text is what it was: copying a name from a page gives the name.
func TestBreakable(t *testing.T) {
	for _, text := range []string{"https://www.example.org/a?b", "arn:aws:acm:us-west-2:1:certificate/x", "a&amp;b&#39;.c", ""} {
		got := Breakable(text)
		if strings.ReplaceAll(got, "<wbr>", "") != text || text != "" && !strings.Contains(got, "<wbr>") {
			t.Errorf("%q becomes %q", text, got)
		}
	}
}

func TestCount(t *testing.T) {
	for n, want := range []string{"0 findings", "1 finding", "2 findings"} {
		if got := Count(n, "finding"); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
