package text

import (
	"strings"
	"testing"
	"unicode/utf8"
)

const goodARN = "arn:aws:acm:us-west-2:111122223333:certificate/0b7d2f3a-52c7-4f0e-9d1b-6a8f5a2f1c01"

// TestFoldLine: no line is wider than asked for but a single word, no word is lost, and a command stays one.
func TestFoldLine(t *testing.T) {
	const command = "aws elb set-load-balancer-listener-ssl-certificate --region us-west-2 --load-balancer-name a1b2c3 --ssl-certificate-id " + goodARN
	for _, line := range []string{"", "word", "a b c", strings.Repeat("word ", 40) + "end", goodARN, "see " + goodARN + " for more of that and of this and of all the others", command} {
		for _, width := range []int{10, 40, 63, 200} {
			lines := foldLine(line, width, 2)
			whole := strings.Join(lines, " ")
			if line == command {
				whole = strings.ReplaceAll(whole, ` \ `, " ")
			}
			if strings.Join(strings.Fields(whole), " ") != strings.TrimSpace(line) {
				t.Errorf("at %d, %q becomes %q", width, line, lines)
			}
			for i, l := range lines {
				if utf8.RuneCountInString(l) > width && len(strings.Fields(strings.TrimSuffix(l, ` \`))) > 1 {
					t.Errorf("wider than %d: %q", width, l)
				}
				if line == command && strings.HasSuffix(l, ` \`) != (i < len(lines)-1) {
					t.Errorf("no command: %q", lines)
				}
			}
		}
	}
	const quoted = "aws elbv2 x --name 'a b  c' --other y"
	if got := foldLine(quoted, 10, 2); len(got) != 1 || got[0] != quoted {
		t.Errorf("a quoted word is broken: %q", got)
	}
	if got := foldLine("a ::error::b", 4, 0); strings.HasPrefix(strings.TrimSpace(got[1]), "::") {
		t.Errorf("a line begins a build server's command: %q", got)
	}
}
