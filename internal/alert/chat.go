package alert

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"certdrift/internal/finding"
	"certdrift/internal/incident"
)

// notification is a custom notification of Amazon Q Developer in chat applications
// (docs.aws.amazon.com/chatbot/latest/adminguide/custom-notifs.html). Anything that is not of this form is dropped there
// without a word.
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
func (s *story) chat() string {
	n := notification{
		Version: "1.0", Source: "custom",
		Content: notificationContent{
			TextType: "client-markdown", Title: mark(s.headline()) + " " + markdown(s.subject()),
			Description: s.chatBody(), NextSteps: s.nextSteps(), Keywords: []string{s.environment(), string(s.code())},
		},
		Metadata: notificationMetadata{
			ThreadID: s.thread(), Summary: s.subject(), EventType: "certdrift " + string(s.Event),
			AdditionalContext: map[string]string{
				"environment": s.environment(), "severity": s.Severity.String(), "code": string(s.code()), "event": string(s.Event),
			},
		},
	}
	if arn, ok := s.first.Evidence["arn"].(string); ok && s.Storm == nil && strings.HasPrefix(arn, "arn:") {
		n.Metadata.RelatedResources = []string{finding.Clean(arn, maxValue)}
	}
	text, _ := json.Marshal(n) // strings and maps of strings only
	return string(text)
}

// thread names an incident from its opening to its end. A storm has one of its own.
func (s *story) thread() string {
	sum := sha256.Sum256([]byte(s.Record.Key + " " + s.Record.Opened.UTC().Format(time.RFC3339)))
	if s.Storm != nil {
		sum = sha256.Sum256([]byte("storm " + s.environment() + " " + s.At.UTC().Format(time.RFC3339)))
	}
	return "certdrift-" + hex.EncodeToString(sum[:16])
}

// mark is the coloured dot that is seen before the words are read.
func mark(headline string) string {
	switch headline {
	case "CRITICAL":
		return ":red_circle:"
	case "WARNING", "EASED":
		return ":large_yellow_circle:"
	case "RECOVERED":
		return ":large_green_circle:"
	}
	return ":white_circle:"
}

func (s *story) chatBody() string {
	var b strings.Builder
	b.WriteString(markdown(s.lead()))
	if s.Storm != nil { // what one of its incidents is about says nothing of the others
		s.chatStorm(&b)
	} else {
		s.chatIncident(&b)
	}
	return b.String()
}

// chatIncident tells the sides, who changed it, and who suffers.
func (s *story) chatIncident(b *strings.Builder) {
	for _, t := range truths(s.first) {
		fmt.Fprintf(b, "\n*%s*: `%s`", t.name, code(t.short(s.At)))
		if t.differs {
			b.WriteString(" (differs)")
		}
	}
	if by := changedBy(s.first); author(by) != "" {
		fmt.Fprintf(b, "\n*%s by*: `%s` (%s)", markdown(deed(by)), code(finding.Clean(byWhom(by), maxValue)), standing(by))
	}
	if s.Record.AffectsCount > 1 {
		shown := s.Record.Affects[:min(len(s.Record.Affects), maxOthers)]
		fmt.Fprintf(b, "\n*affects %d*: %s", s.Record.AffectsCount, markdown(strings.Join(shown, ", ")))
		if left := s.Record.AffectsCount - len(shown); left > 0 {
			fmt.Fprintf(b, " and %d more", left)
		}
	}
}

// chatStorm lists the incidents.
func (s *story) chatStorm(b *strings.Builder) {
	for i, n := range s.Storm {
		if i == maxListed {
			fmt.Fprintf(b, "\nand %d more", len(s.Storm)-i)
			break
		}
		one := newStory(n, s.Options)
		fmt.Fprintf(b, "\n• %s: %s", markdown(one.place()), phrase(one.code()))
	}
}

func (s *story) nextSteps() []string {
	var steps []string
	if command := undo(s.first); command != "" && s.Event != incident.Recovered && s.Storm == nil {
		steps = undoSteps(command)
	}
	if link := s.runbook(); link != "" {
		steps = append(steps, "Runbook: "+link)
	}
	if s.DashboardURL != "" {
		steps = append(steps, "Dashboard: "+s.DashboardURL)
	}
	return steps
}

// The bounds of a chat message's commands: SNS drops no part of a message, but the whole.
const (
	maxSteps     = 8
	maxStepBytes = 4 << 10
)

// undoSteps are the commands that undo it, each whole; those that find no room are counted.
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
		steps = append(steps, fmt.Sprintf("and %d more command(s): see the mail, or `certdrift check`", left))
	}
	return steps
}

// markdown takes the meaning from characters that chat applications give one: what a server says must not become a link,
// or call a whole channel.
func markdown(text string) string {
	return strings.NewReplacer(
		"&", "&amp;", "<", "&lt;", ">", "&gt;", "*", "∗", "`", "'", "[", "(", "]", ")", "@", "@\u200b",
	).Replace(text)
}

// code is text for between backticks.
func code(text string) string {
	return strings.NewReplacer("`", "'", "\n", " ", "&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(text)
}
