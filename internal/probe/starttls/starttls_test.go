package starttls

import (
	"bufio"
	"strings"
	"testing"
)

// FuzzReply: whatever a server sends, reading its reply ends within the bounds, and an accepted reply has the code on each of its
// lines.
func FuzzReply(f *testing.F) {
	f.Add("250-mail.test\r\n250 STARTTLS\r\n")
	f.Add("250\n")
	f.Add("250-" + strings.Repeat("x", maxLine))
	f.Add("2500\r\n250 x\r\n")
	f.Fuzz(func(t *testing.T, said string) {
		l := newLines(strings.NewReader(said))
		texts, err := l.reply("250")
		if err != nil {
			return
		}
		if len(texts) == 0 || len(texts) > maxLines {
			t.Fatalf("%d lines", len(texts))
		}
		scanner := bufio.NewScanner(strings.NewReader(said))
		for range texts {
			if !scanner.Scan() || !strings.HasPrefix(scanner.Text(), "250") {
				t.Fatalf("a line without the code: %q", scanner.Text())
			}
		}
	})
}
