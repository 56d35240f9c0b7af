package cli

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"certdrift/internal/alert"
	"certdrift/internal/awsio/sns"
	"certdrift/internal/finding"
	"certdrift/internal/incident"
	"certdrift/internal/judge"
)

// alertPath is `certdrift alert`: its flags.
type alertPath struct {
	app              *App
	topic, chatTopic string
	config           string
	environments     []string
	test             bool
	format           textOrJSON
}

func (a *App) alert() *cobra.Command {
	p := &alertPath{app: a}
	cmd := &cobra.Command{
		Use:   "alert [--test]",
		Short: "Look whether alerts arrive: who is subscribed, and a trial on every path",
		Example: `  certdrift alert --test --topic arn:aws:sns:us-west-2:111122223333:certdrift-alerts
  certdrift alert -c certdrift.yaml`,
		Long: `Looks at the topic that alerts go to: a subscription that nobody confirmed, one whose filter policy no alert can ever
pass, a topic that is gone or that nobody is subscribed to, an environment whose critical alerts reach nobody. With
--test it sends trials, as few as reach everybody, with the attributes that the filter policies ask for.

Topics are named by --topic and --chat-topic, or by CERTDRIFT_TOPIC_ARN and CERTDRIFT_CHAT_TOPIC_ARN as in the
functions. The environments are those of the configuration, where one is given by -c.

Exit status: 0 all is well, 1 something on the path is broken, 2 wrong usage, 3 the topic could not be looked at.`,
		Args: noArgs, RunE: func(cmd *cobra.Command, _ []string) error { return p.run(cmd.Context()) },
	}
	f := cmd.Flags()
	f.BoolVar(&p.test, "test", false, "send a trial on every path; it says of itself that nothing is wrong")
	f.StringVar(&p.topic, "topic", "", "`ARN` of the topic for people and machines (default $CERTDRIFT_TOPIC_ARN)")
	f.StringVar(&p.chatTopic, "chat-topic", "", "`ARN` of the topic for chat (default $CERTDRIFT_CHAT_TOPIC_ARN)")
	f.StringVarP(&p.config, "config", "c", "", "configuration `FILE` whose environments are to be reached")
	f.StringSliceVarP(&p.environments, "environment", "e", nil, "environments to be reached")
	p.format.flag(cmd)
	return cmd
}

// pathReport is what `certdrift alert` tells.
type pathReport struct {
	Schema   string        `json:"schema"`
	Topics   []topicReport `json:"topics"`
	Problems []string      `json:"problems"`
}

type topicReport struct {
	ARN           string        `json:"arn"`
	Subscriptions []pathOfAlert `json:"subscriptions"`
	// Sent are the trials that went out, ENVIRONMENT SEVERITY.
	Sent []string `json:"sent"`
}

// pathOfAlert is one subscription.
type pathOfAlert struct {
	Protocol string `json:"protocol"`
	Endpoint string `json:"endpoint"`
	State    string `json:"state"` // ok, unconfirmed, never, unknown
	Tried    bool   `json:"tried"`
	Note     string `json:"note,omitempty"`

	subscription sns.Subscription
}

func (p *alertPath) run(ctx context.Context) error {
	if err := p.format.check(); err != nil {
		return err
	}
	topic, chat := p.app.setting(p.topic, "CERTDRIFT_TOPIC_ARN"), p.app.setting(p.chatTopic, "CERTDRIFT_CHAT_TOPIC_ARN")
	if topic == "" && chat == "" {
		return usage("give --topic ARN or set CERTDRIFT_TOPIC_ARN: it is the stack's output TopicArn", "no topic is named")
	}
	if p.config != "" {
		cfg, faults, err := p.app.load(p.config, false)
		if err != nil {
			return err
		}
		p.environments = append(p.environments, environmentsOf(Plan{Config: cfg, Faults: faults})...)
	}
	out := pathReport{Schema: "certdrift.alert-path/1", Topics: []topicReport{}, Problems: []string{}}
	for _, t := range []struct {
		arn  string
		chat bool
	}{{topic, false}, {chat, true}} {
		if t.arn == "" {
			continue
		}
		if err := p.look(ctx, t.arn, t.chat, &out); err != nil {
			return err
		}
	}
	if err := p.write(out); err != nil {
		return err
	}
	if len(out.Problems) > 0 {
		return status(1)
	}
	return nil
}

// look looks at one topic, and tries it where that is asked for.
func (p *alertPath) look(ctx context.Context, arn string, chat bool, out *pathReport) error {
	topic, err := p.app.Parts.Cloud.Topic(ctx, arn, chat)
	if err != nil {
		return usage("", "%w", err)
	}
	found := topicReport{ARN: arn, Subscriptions: []pathOfAlert{}, Sent: []string{}}
	all, missing, err := topic.Subscriptions(ctx)
	if err != nil {
		return err
	}
	problem := func(format string, args ...any) { out.Problems = append(out.Problems, fmt.Sprintf(format, args...)) }
	if missing {
		problem("the topic %s does not exist: no alert reaches anybody", arn)
		out.Topics = append(out.Topics, found)
		return nil
	}
	for _, s := range all {
		found.Subscriptions = append(found.Subscriptions, p.judge(s))
	}
	if p.test {
		for _, n := range trials(found.Subscriptions, p.candidates(all), p.app) {
			if err := topic.Send(ctx, alert.Compose(n, alert.Options{})); err != nil {
				problem("the topic %s takes no message: %v", arn, err)
				break
			}
			found.sent(n)
		}
	}
	p.complain(found, problem)
	out.Topics = append(out.Topics, found)
	return nil
}

// judge says of a subscription whether any alert can reach it.
func (p *alertPath) judge(s sns.Subscription) pathOfAlert {
	out := pathOfAlert{Protocol: s.Protocol, Endpoint: shownEndpoint(s.Endpoint), State: "ok", subscription: s}
	switch {
	case s.Pending:
		out.State, out.Note = "unconfirmed", "nobody has confirmed it: nothing is delivered"
	case s.Unread != "":
		out.State, out.Note = "unknown", clean(s.Unread)
	case s.OnBody && !s.Filter.Empty():
		out.State, out.Note = "unknown", "its filter policy looks into the message's body, which differs by protocol: attributes are safer"
	case !p.reachable(s):
		out.State, out.Note = "never", "its filter policy lets no alert through that certdrift ever sends"
	}
	return out
}

// reachable tells whether some alert passes the filter.
func (p *alertPath) reachable(s sns.Subscription) bool {
	codes := []string{"trial"}
	for _, e := range judge.Catalogue() {
		codes = append(codes, string(e.Code))
	}
	for _, c := range p.candidates([]sns.Subscription{s}) {
		for _, event := range []incident.Event{incident.Opened, incident.Reminder, incident.Recovered} {
			for _, sms := range []string{"send", "held"} {
				for _, code := range codes {
					if s.Filter.Passes(map[string]string{
						"environment": c.environment, "severity": c.severity.String(), "code": code, "event": string(event), "sms": sms,
					}) {
						return true
					}
				}
			}
		}
	}
	return false
}

// candidate is what a trial may be of.
type candidate struct {
	environment string
	severity    finding.Severity
}

// candidates are the environments asked for, or those that the filters name and one that none does.
func (p *alertPath) candidates(all []sns.Subscription) []candidate {
	environments := append([]string{}, p.environments...)
	if len(environments) == 0 {
		environments = append(environments, "trial")
		for _, s := range all {
			environments = append(environments, s.Filter.Values("environment")...)
		}
	}
	slices.Sort(environments)
	var out []candidate
	for _, e := range slices.Compact(environments) {
		for _, s := range []finding.Severity{finding.Critical, finding.Warning} {
			out = append(out, candidate{e, s})
		}
	}
	return out
}

// trials are as few notices as reach all that a trial can reach: the candidate that reaches most of the rest comes next.
// One is sent in any case.
func trials(paths []pathOfAlert, candidates []candidate, a *App) []incident.Notice {
	reaches := func(c candidate, s pathOfAlert) bool {
		m := alert.Compose(alert.Trial(c.environment, c.severity, a.Now()), alert.Options{})
		return s.State == "ok" && s.subscription.Filter.Passes(m.Attributes)
	}
	var out []incident.Notice
	left := slices.Clone(paths)
	for {
		best, most := candidates[0], 0
		for _, c := range candidates {
			n := 0
			for _, s := range left {
				if reaches(c, s) {
					n++
				}
			}
			if n > most {
				best, most = c, n
			}
		}
		if most == 0 && len(out) > 0 {
			return out
		}
		out = append(out, alert.Trial(best.environment, best.severity, a.Now()))
		left = slices.DeleteFunc(left, func(s pathOfAlert) bool { return reaches(best, s) })
		if len(left) == 0 {
			return out
		}
	}
}

// sent notes a trial that went out, and whom it goes to.
func (t *topicReport) sent(n incident.Notice) {
	t.Sent = append(t.Sent, n.Record.Environment+" "+n.Severity.String())
	attributes := alert.Compose(n, alert.Options{}).Attributes
	for i := range t.Subscriptions {
		s := &t.Subscriptions[i]
		s.Tried = s.Tried || s.State == "ok" && s.subscription.Filter.Passes(attributes)
	}
}

// complain names what is wrong with a topic.
func (p *alertPath) complain(t topicReport, problem func(string, ...any)) {
	for _, s := range t.Subscriptions {
		if s.State == "unconfirmed" || s.State == "never" {
			problem("%s %s: %s", s.Protocol, s.Endpoint, s.Note)
		}
	}
	if !slices.ContainsFunc(t.Subscriptions, func(s pathOfAlert) bool { return s.State == "ok" || s.State == "unknown" }) {
		problem("nobody is subscribed to %s: no alert reaches anybody", t.ARN)
		return
	}
	for _, environment := range p.environments {
		attributes := alert.Compose(alert.Trial(environment, finding.Critical, p.app.Now()), alert.Options{}).Attributes
		attributes["code"] = string(finding.CertExpired)
		if !slices.ContainsFunc(t.Subscriptions, func(s pathOfAlert) bool {
			return s.State == "unknown" || s.State == "ok" && s.subscription.Filter.Passes(attributes)
		}) {
			problem("a critical alert of %s reaches nobody on %s", clean(environment), t.ARN)
		}
	}
}

// shownEndpoint leaves out what a URL may keep secret.
func shownEndpoint(endpoint string) string {
	if u, err := url.Parse(endpoint); err == nil && u.Host != "" {
		endpoint = u.Scheme + "://" + u.Host + "/…"
	}
	return clean(endpoint)
}

func (p *alertPath) write(out pathReport) error {
	if p.format.name == "json" {
		return p.app.writeJSON(out)
	}
	w := p.app.Stdout
	for _, t := range out.Topics {
		fmt.Fprintf(w, "%s\n", clean(t.ARN))
		for _, s := range t.Subscriptions {
			mark := map[string]string{"ok": "✓", "unknown": "?"}[s.State]
			if mark == "" {
				mark = "✗"
			}
			line := fmt.Sprintf("  %s %-8s %s", mark, s.Protocol, s.Endpoint)
			switch {
			case s.Note != "":
				line += "  " + s.Note
			case s.Tried:
				line += "  a trial is on its way"
			case p.test:
				line += "  not tried: its filter policy lets no trial through"
			}
			fmt.Fprintln(w, line)
		}
		if len(t.Sent) > 0 {
			fmt.Fprintf(w, "  sent: %s. See whether everybody got one.\n", clean(strings.Join(t.Sent, ", ")))
		}
	}
	for _, text := range out.Problems {
		fmt.Fprintf(w, "problem: %s\n", clean(text))
	}
	return nil
}
