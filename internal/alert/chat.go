package alert

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"certdrift/internal/incident"
	"certdrift/internal/prose"
)

// notification is a custom notification of Amazon Q Developer in chat applications
// (docs.aws.amazon.com/chatbot/latest/adminguide/custom-notifs.html). Anything else is dropped there silently.
type notification struct {
	Version  string               `json:"version"`
	Source   string               `json:"source"`
	Content  notificationContent  `json:"content"`
	Metadata notificationMetadata `json:"metadata"`
}

type notificationContent struct {
	TextType    string   `json:"textType"`
	Title       string   `json:"title"`
	Description string   `json:"description"`
	NextSteps   []string `json:"nextSteps,omitempty"`
	Keywords    []string `json:"keywords,omitempty"`
}

type notificationMetadata struct {
	ThreadID          string            `json:"threadId"`
	Summary           string            `json:"summary"`
	EventType         string            `json:"eventType"`
	RelatedResources  []string          `json:"relatedResources,omitempty"`
	AdditionalContext map[string]string `json:"additionalContext,omitempty"`
}

// chat is the notification; all notices of one incident share a thread.
func (m *message) chat() string {
	n := notification{
		Version: "1.0", Source: "custom",
		Content: notificationContent{
			TextType: "client-markdown", Title: mark(m.headline()) + " " + markdown(m.subject()),
			Description: m.chatBody(), NextSteps: m.nextSteps(), Keywords: []string{m.environment(), string(m.code())},
		},
		Metadata: notificationMetadata{
			ThreadID: m.thread(), Summary: m.subject(), EventType: "certdrift " + string(m.Event),
			AdditionalContext: map[string]string{
				"environment": m.environment(), "severity": m.Severity.String(), "code": string(m.code()), "event": string(m.Event),
			},
		},
	}
	if arn, ok := m.first.AllEvidence()["arn"].(string); ok && m.Storm == nil && strings.HasPrefix(arn, "arn:") {
		n.Metadata.RelatedResources = []string{clean(arn)}
	}
	text, _ := json.Marshal(n) // strings and maps of strings only
	return string(prose.VisibleJSON(text))
}

// thread names an incident from its opening to its end. A storm has one of its own.
func (m *message) thread() string {
	sum := sha256.Sum256([]byte(m.Record.Key + " " + m.Record.Opened.UTC().Format(time.RFC3339)))
	if m.Storm != nil {
		sum = sha256.Sum256([]byte("storm " + m.environment() + " " + m.At.UTC().Format(time.RFC3339)))
	}
	return "certdrift-" + hex.EncodeToString(sum[:16])
}

// mark is the colored dot, seen before the words are read.
func mark(headline string) string {
	switch strings.TrimPrefix(headline, "STILL ") {
	case "CRITICAL":
		return ":red_circle:"
	case "WARNING", "DOWNGRADED":
		return ":large_yellow_circle:"
	case "RESOLVED":
		return ":large_green_circle:"
	}
	return ":white_circle:"
}

func (m *message) chatBody() string {
	var b strings.Builder
	b.WriteString(markdown(m.lead()))
	if m.Storm != nil {
		m.chatStorm(&b)
	}
	if !m.mixed { // of a mixed message, one incident's details say nothing about the others
		m.chatIncident(&b)
	}
	return b.String()
}

// chatIncident writes the certificates, who changed them, and who is affected.
func (m *message) chatIncident(b *strings.Builder) {
	for _, s := range m.sides() {
		fmt.Fprintf(b, "\n*%s*: `%s`", s.name, code(s.short(m.At)))
		if s.differs {
			b.WriteString(" (differs)")
		}
	}
	if by := m.first.Attribution.Change; authorName(by) != "" {
		fmt.Fprintf(b, "\n*%s by*: `%s`, source: %s", markdown(action(by)), code(clean(changeLine(by))), confirmation(by))
	}
	if m.Record.AffectsCount > 1 && m.Storm == nil {
		shown := m.Record.Affects[:min(len(m.Record.Affects), maxOthers)]
		fmt.Fprintf(b, "\n*affects %d*: %s", m.Record.AffectsCount, markdown(strings.Join(shown, ", ")))
		if left := m.Record.AffectsCount - len(shown); left > 0 {
			fmt.Fprintf(b, " and %d more", left)
		}
	}
}

// chatStorm lists the incidents.
func (m *message) chatStorm(b *strings.Builder) {
	for i, n := range m.Storm {
		if i == maxListed {
			fmt.Fprintf(b, "\nand %d more: `%s`", len(m.Storm)-i, code(m.listCommand()))
			break
		}
		one := newMessage(n, m.Options)
		fmt.Fprintf(b, "\n• %s: %s", markdown(one.place()), phrase(one.code()))
	}
}

func (m *message) nextSteps() []string {
	var steps []string
	if m.Event != incident.Recovered && !m.mixed {
		steps = undoSteps(m.undoAll())
	}
	switch link := m.runbook(); {
	case link != "":
		steps = append(steps, "Runbook: "+link)
	case m.code() != testCode:
		steps = append(steps, "Explain: `certdrift explain "+string(m.code())+"`")
	}
	if m.DashboardURL != "" {
		steps = append(steps, "Dashboard: "+m.DashboardURL)
	}
	return steps
}

// The bounds of a chat message's commands: SNS rejects a message that is too large as a whole.
const (
	maxSteps     = 8
	maxStepBytes = 4 << 10
)

// undoSteps are the commands that undo it, each whole; those that do not fit are counted.
func undoSteps(command string) (steps []string) {
	size, left := 0, 0
	for _, line := range strings.Split(command, "\n") {
		if strings.TrimSpace(line) == "" {
			continue
		}
		step := "Undo: `" + code(cleanCommand(line)) + "`"
		if size += len(step); cleanCommand(line) == "" || size > maxStepBytes || len(steps) == maxSteps {
			size, left = size-len(step), left+1
			continue
		}
		steps = append(steps, step)
	}
	if left > 0 {
		steps = append(steps, fmt.Sprintf("and %s: see the email, or run `certdrift check`", prose.Count(left, "more command")))
	}
	return steps
}

// markdown neutralizes characters that chat applications interpret: what a server sends must not become a link, or
// notify a whole channel.
func markdown(text string) string {
	return strings.NewReplacer(
		"&", "&amp;", "<", "&lt;", ">", "&gt;", "*", "∗", "`", "'", "[", "(", "]", ")", "@", "@\u200b",
	).Replace(text)
}

// code is text for between backticks.
func code(text string) string {
	return strings.NewReplacer("`", "'", "\n", " ", "&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(text)
}
