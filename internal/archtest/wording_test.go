package archtest

import (
	"fmt"
	"go/scanner"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"
)

// replaced has the words and phrases that the project no longer uses, and what to write instead. Patterns match whole
// words in any case, in Go strings, comments and identifiers (split at their capitals) and in the text of documents,
// templates, YAML and pages.
var replaced = []struct{ pattern, write string }{
	{`mend(s|ed|ing)?`, "fix"},
	{`noughts?`, "zero"},
	{`for want of`, "without"},
	{`otherwise than`, "differently from"},
	{`(is|are|was|were|be) to be had`, "is available"},
	{`(is|are) to be (done|seen|told)`, "say who does it, or drop it"},
	{`(can't|cannot|can not|could not|couldn't) be had`, "is not available"},
	{`tells? (whether|that|of|how|what|which|apart)|told of|speaks? (of|against)`, "reports, says, describes"},
	{`be it ever( so)?`, "even if"},
	{`(take|takes|taken|took|taking) on by|taken on|(take|takes|took) (it|one|them) on`, "acknowledge"},
	{`strangers?`, "out of scope, unknown"},
	{`accus(e|es|ed|ing)|blam(e|es|ed|ing)`, "attribute"},
	{`glimpses?`, "raw hello"},
	{`suffering`, "impact"},
	{`trials?`, "test alert; attempt"},
	{`may not look|is blind|are blind`, "lacks permission; is not running"},
	{`clients? (is|are|will be|were) refused`, "clients are rejecting the certificate"},
	{`(come|comes|came|coming) true`, "was predicted by an earlier alert"},
	{`fore(told|tell|tells|telling)`, "predicted"},
	{`deeds?`, "change"},
	{`eased`, "downgraded"},
	{`troubles?`, "problem; ObserveError in code"},
	{`looked at|needs? a look|second look|a look at`, "checked"},
	{`hears? of|heard of`, "is notified about"},
	{`as far as is known|as far as anyone knows`, "drop it, or name the source"},
	{`is over after`, "resolved after"},
	{`for ever`, "forever"},
	{`naught|thereof|whence|lest|hitherto|henceforth|forthwith|wherein|therein`, "plain English"},
}

// replacedInProse are words that are fine as identifiers.
var replacedInProse = []struct{ pattern, write string }{
	{`e-mails?|mails?`, "email"},
	{`is told|are told|was told|were told|be told`, "is reported, is notified"},
	{`rights`, "permissions"},
	{`rings`, "fires"},
}

// replacedNames are identifiers that meant something else to everybody but their author.
var replacedNames = map[string]string{
	"hang": "suppressExplained", "fasten": "group", "speakOf": "declarationsFor", "makers": "ownerIndex", "twin": "equivalent",
	"teller": "printer", "accuse": "attribute", "Trouble": "ObserveError", "Fault": "Diagnostic",
}

// protocol is where "mail" is the name of a protocol's part or of a host. "email" and "Email" are not matches at all.
var protocol = regexp.MustCompile(`(?i)mail (servers?|host|from|ready)|(net/|/|[0-9]+[- ]|\{name: |"|@)mail\b|\bmail[.:]\w|"mail"`)

// contract is where a replaced word is a value that others script against: the code of a test alert, a metric, and a key of
// saved observations.
var contract = regexp.MustCompile("(`trial`|\"trial\"|`Troubles`|\"[Tt]roubles\\b|\\.troubles\\b|#trial\\b)")

// literals are the same values as whole strings in Go.
var literals = []string{"trial", "Troubles", "troubles"}

// excused are the uses that stay, each with its reason: a word in a file, or in a directory if the path ends in a slash.
var excused = []struct{ word, file, why string }{
	{"trial", "docs/runbook.md", "the heading that test alerts link to"},
	{"Fault", "internal/round/path_test.go", "fault injection into the simulated account"},
	{"trial", "internal/alert/test_alert.go", "the incident key of a test alert, which machines may match"},
	{"trouble", "internal/metric/metric_test.go", "the metric Troubles, by its dimensions"},
	{"troubles", "internal/metric/metric_test.go", "the metric Troubles, by its dimensions"},
	{"Fault", "internal/sim/account/failure.go", "a field of the AWS SDK's error type"},
	{"foretold", "internal/incident/incident.go", "a JSON key of saved records"},
	{"eased", "internal/incident/incident.go", "a JSON key of notices"},
}

// endings are the files that are read: Go through its scanner, the others as plain text.
var endings = []string{".md", ".yaml", ".yml", ".html", ".css", ".toml", ".txtar", ".py", ".go"}

type use struct{ place, word, write, text string }

type wordlist []struct {
	re     *regexp.Regexp
	begins []string // a text without any of them has no match, which is much cheaper to see
	write  string
}

func compile(lists ...[]struct{ pattern, write string }) wordlist {
	var out wordlist
	for _, list := range lists {
		for _, w := range list {
			out = append(out, struct {
				re     *regexp.Regexp
				begins []string
				write  string
			}{regexp.MustCompile(`(?:` + w.pattern + `)\b`), begins(w.pattern), w.write})
		}
	}
	return out
}

// begins returns what the matches of a pattern begin with: the letters that each of its alternatives opens with.
func begins(pattern string) []string {
	var out []string
	depth, start := 0, 0
	for i := 0; i <= len(pattern); i++ {
		switch {
		case i == len(pattern) || depth == 0 && pattern[i] == '|':
			out = append(out, beginsOf(pattern[start:i])...)
			start = i + 1
		case pattern[i] == '(':
			depth++
		case pattern[i] == ')':
			depth--
		}
	}
	return out
}

// beginsOf is begins of one alternative, which may open with a group.
func beginsOf(alternative string) []string {
	if group, ok := strings.CutPrefix(alternative, "("); ok {
		inner, _, _ := strings.Cut(group, ")")
		return begins(inner)
	}
	end := strings.IndexFunc(alternative, func(r rune) bool { return !unicode.IsLetter(r) && r != '-' && r != '\'' })
	switch {
	case end < 0:
		return []string{alternative}
	case alternative[end] == '?': // the letter before it may be missing
		end--
	}
	return []string{alternative[:end]}
}

func containsAny(text string, words []string) bool {
	return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(text, w) })
}

// near returns the words that a file may hold.
func (l wordlist) near(file []byte) wordlist {
	lower := strings.ToLower(string(file))
	var out wordlist
	for _, w := range l {
		if containsAny(lower, w.begins) {
			out = append(out, w)
		}
	}
	return out
}

// in returns the replaced words of a text.
func (l wordlist) in(text string) []use {
	var out []use
	lower := strings.ToLower(text)
	if len(lower) != len(text) {
		text = lower // a letter whose small form has another length
	}
	for _, w := range l {
		if !containsAny(lower, w.begins) {
			continue
		}
		for _, at := range w.re.FindAllStringIndex(lower, -1) {
			if at[0] > 0 && isWord(lower[at[0]-1]) {
				continue // within another word
			}
			word := text[at[0]:at[1]]
			if strings.EqualFold(word, "email") || strings.EqualFold(word, "emails") {
				continue
			}
			near := text[max(0, at[0]-8):min(len(text), at[1]+9)]
			if contract.MatchString(near) || strings.HasPrefix(strings.ToLower(word), "mail") && protocol.MatchString(near) {
				continue
			}
			out = append(out, use{"", word, w.write, strings.Join(strings.Fields(text[max(0, at[0]-30):min(len(text), at[1]+30)]), " ")})
		}
	}
	return out
}

func isWord(b byte) bool {
	return b == '_' || b >= 'a' && b <= 'z' || b >= '0' && b <= '9'
}

// words splits an identifier at its capitals.
func words(name string) string {
	var b strings.Builder
	last := ' '
	for _, r := range name {
		if unicode.IsUpper(r) && !unicode.IsUpper(last) || r == '_' {
			b.WriteByte(' ')
		}
		if r != '_' {
			b.WriteRune(r)
		}
		last = r
	}
	return b.String()
}

func usesInGo(name string, src []byte, prose, names wordlist) []use {
	var out []use
	fset := token.NewFileSet()
	var s scanner.Scanner
	f := fset.AddFile(name, -1, len(src))
	s.Init(f, src, nil, scanner.ScanComments)
	for {
		pos, tok, lit := s.Scan()
		var found []use
		//exhaustive:ignore
		switch tok {
		case token.EOF:
			return out
		case token.COMMENT:
			found = prose.in(lit)
		case token.STRING:
			if text, err := strconv.Unquote(lit); err == nil && !slices.Contains(literals, text) {
				found = prose.in(text)
			}
		case token.IDENT:
			if len(names) > 0 {
				found = names.in(words(lit))
			}
			if write, ok := replacedNames[lit]; ok {
				found = append(found, use{word: lit, write: write, text: lit})
			}
		}
		for _, u := range found {
			u.place = fmt.Sprintf("%s:%d", name, fset.Position(pos).Line)
			out = append(out, u)
		}
	}
}

// TestWording checks that the words in replaced are not used again: one term per concept, and the one that AWS, Kubernetes
// and Go use.
func TestWording(t *testing.T) {
	names := compile(replaced)
	prose := compile(replaced, replacedInProse)
	root := filepath.Join("..", "..")
	files := 0
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, p)
		if err != nil {
			return err
		}
		name = filepath.ToSlash(name)
		if d.IsDir() {
			if name == ".git" || name == ".cache" || name == ".aws-sam" || name == "bin" || name == "e2e/servers/testdata" || strings.HasPrefix(d.Name(), ".venv") {
				return filepath.SkipDir
			}
			return nil
		}
		if !slices.Contains(endings, path.Ext(name)) && name != "Makefile" && !strings.HasSuffix(name, ".schema.json") || name == "internal/archtest/wording_test.go" {
			return nil
		}
		src, err := os.ReadFile(p)
		if err != nil {
			return err
		}
		files++
		var found []use
		if path.Ext(name) == ".go" {
			found = usesInGo(name, src, prose.near(src), names.near(src))
		} else {
			candidates := prose.near(src)
			for i, line := range strings.Split(string(src), "\n") {
				for _, u := range candidates.in(line) {
					u.place = fmt.Sprintf("%s:%d", name, i+1)
					found = append(found, u)
				}
			}
		}
		for _, u := range found {
			if !excuse(name, u.word) {
				t.Errorf("%s: %q: write %s: … %s …", u.place, u.word, u.write, u.text)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if files < 200 {
		t.Errorf("only %d files read: is the test looking in the right place?", files)
	}
}

func excuse(name, word string) bool {
	for _, e := range excused {
		if strings.EqualFold(e.word, word) && (e.file == name || strings.HasSuffix(e.file, "/") && strings.HasPrefix(name, e.file)) {
			return true
		}
	}
	return false
}
