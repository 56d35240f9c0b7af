package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"certdrift/internal/alert"
	"certdrift/internal/alertpath"
	"certdrift/internal/finding"
	"certdrift/internal/incident"
	"certdrift/internal/judge"
	"certdrift/internal/observation"
	"certdrift/internal/round"
)

// alertPath is `certdrift alert`: its flags.
type alertPath struct {
	app          *App
	topics       topicFlags
	bus          string
	config       string
	environments []string
	test         bool
	format       textOrJSON
}

func (a *App) alert() *cobra.Command {
	p := &alertPath{app: a}
	cmd := &cobra.Command{
		Use:   "alert [--test]",
		Short: "Check that alerts are delivered: list subscribers and send a test on every path",
		Example: `  certdrift alert --test --topic arn:aws:sns:us-west-2:111122223333:certdrift-alerts
  certdrift alert -c certdrift.yaml`,
		Long: `Checks the topic that alerts go to for subscriptions that were never confirmed or have been removed, filter policies
that match no alert, a topic that is missing or has no subscribers, and environments whose critical alerts reach no
one. With --test, it sends test alerts with attributes that match the filter policies, and one to the event bus if one
is named. "certdrift verify" and the functions run the same checks (alert-path-broken), but send no test alerts.

Set the topics with --topic and --chat-topic, or with CERTDRIFT_TOPIC_ARN and CERTDRIFT_CHAT_TOPIC_ARN as in the
functions. With -c, the configuration's environments are checked.

Exit status: 0 no problems, 1 an alert path is broken, 2 usage error, 3 the topic could not be read.`,
		Args: noArgs, RunE: func(cmd *cobra.Command, _ []string) error { return p.run(cmd.Context()) },
	}
	f := cmd.Flags()
	f.BoolVar(&p.test, "test", false, "send a test alert on every path; it says that no action is needed")
	p.topics.flags(cmd)
	f.StringVar(&p.bus, "event-bus", "", "`NAME` or ARN of the EventBridge bus that also receives alerts, for --test (default $CERTDRIFT_EVENT_BUS)")
	f.StringVarP(&p.config, "config", "c", "", "configuration `FILE` whose environments are checked")
	f.StringSliceVarP(&p.environments, "environment", "e", nil, "environments to check")
	p.format.flag(cmd)
	return cmd
}

// pathReport is the output of `certdrift alert`.
type pathReport struct {
	Schema   string        `json:"schema"`
	Topics   []topicReport `json:"topics"`
	Bus      *busReport    `json:"bus,omitempty"`
	Problems []string      `json:"problems"`
}

// busReport is the event bus that was tested. Its rules say who receives events; certdrift does not read them.
type busReport struct {
	Name string   `json:"name"`
	Sent []string `json:"sent"`
}

type topicReport struct {
	ARN           string        `json:"arn"`
	Subscriptions []pathOfAlert `json:"subscriptions"`
	// Sent are the test alerts that were sent, as ENVIRONMENT SEVERITY.
	Sent []string `json:"sent"`
}

// pathOfAlert is one subscription.
type pathOfAlert struct {
	Protocol string          `json:"protocol"`
	Endpoint string          `json:"endpoint"`
	State    alertpath.State `json:"state"`
	Tried    bool            `json:"tried"`
	Note     string          `json:"note,omitempty"`

	subscriber alertpath.Subscriber
}

func (p *alertPath) run(ctx context.Context) error {
	if err := p.format.check(); err != nil {
		return err
	}
	topic, chat := p.topics.named(p.app)
	if topic == "" && chat == "" {
		return usage("use --topic ARN or set CERTDRIFT_TOPIC_ARN (the stack's output TopicArn)", "no topic given")
	}
	if p.config != "" {
		cfg, faults, err := p.app.load(p.config)
		if err != nil {
			return err
		}
		p.environments = append(p.environments, round.Environments(cfg, faults)...)
	}
	out, err := p.report(ctx, topic, chat)
	if err != nil {
		return err
	}
	if err := p.write(out); err != nil {
		return err
	}
	if len(out.Problems) > 0 {
		return status(1)
	}
	return nil
}

// report checks the topics, and lists their problems.
func (p *alertPath) report(ctx context.Context, topic, chat string) (pathReport, error) {
	out := pathReport{Schema: "certdrift.alert-path/1", Topics: []topicReport{}, Problems: []string{}}
	var seen []observation.Topic
	for _, t := range []struct {
		arn  string
		chat bool
	}{{topic, false}, {chat, true}} {
		if t.arn == "" {
			continue
		}
		found, told, err := p.checkTopic(ctx, t.arn, t.chat)
		if err != nil {
			return out, err
		}
		seen, out.Topics = append(seen, found), append(out.Topics, told)
	}
	for _, problem := range judge.Alerts(p.environments).Problems(seen) {
		out.Problems = append(out.Problems, problem.Text)
	}
	return out, p.testBus(ctx, cmp.Or(topic, chat), &out)
}

// testBus sends a test alert to the event bus, in the region of the topic, where both are asked for.
func (p *alertPath) testBus(ctx context.Context, topic string, out *pathReport) error {
	name := p.app.setting(p.bus, "CERTDRIFT_EVENT_BUS")
	if !p.test || name == "" {
		return nil
	}
	bus, err := p.app.Parts.Cloud.Bus(ctx, name, topic)
	if err != nil {
		return usage(hintOf(err), "%w", err)
	}
	out.Bus = &busReport{Name: name, Sent: []string{}}
	test := p.candidates(nil)[0]
	if err := bus.Send(ctx, alert.Compose(alert.TestAlert(test.environment, test.severity, p.app.Now()), alert.Options{})); err != nil {
		out.Problems = append(out.Problems, fmt.Sprintf("publishing to the event bus %s failed: %v", name, err))
		return nil
	}
	out.Bus.Sent = append(out.Bus.Sent, test.environment+" "+test.severity.String())
	return nil
}

// checkTopic checks one topic, and sends test alerts to it where that is asked for.
func (p *alertPath) checkTopic(ctx context.Context, arn string, chat bool) (observation.Topic, topicReport, error) {
	topic, err := p.app.Parts.Cloud.Topic(ctx, arn, chat)
	if err != nil {
		return observation.Topic{}, topicReport{}, usage(hintOf(err), "%w", err)
	}
	told := topicReport{ARN: arn, Subscriptions: []pathOfAlert{}, Sent: []string{}}
	found, err := readTopic(ctx, topic)
	if err != nil || found.Missing {
		return found, told, err
	}
	subscribers := judge.Alerts(p.environments).Judge(found.Subscriptions)
	for _, s := range subscribers {
		told.Subscriptions = append(told.Subscriptions, pathOfAlert{
			Protocol: s.Protocol, Endpoint: clean(s.Endpoint), State: s.State, Note: s.Note, subscriber: s,
		})
	}
	if !p.test {
		return found, told, nil
	}
	for _, n := range testAlerts(told.Subscriptions, p.candidates(subscribers), p.app) {
		if err := topic.Send(ctx, alert.Compose(n, alert.Options{})); err != nil {
			found.Refused = err.Error()
			break
		}
		told.sent(n)
	}
	return found, told, nil
}

// readTopic reads one topic. Its subscriptions must be known; a filter that could not be read is noted at its subscription.
func readTopic(ctx context.Context, from alertTopic) (observation.Topic, error) {
	topics, errs := from.Observe(ctx)
	if len(topics) != 1 || !topics[0].Read && !topics[0].Missing {
		if len(errs) == 0 {
			return observation.Topic{}, errors.New("the topic could not be read")
		}
		first := errs[0]
		if first.WithoutCredentials() {
			return observation.Topic{}, &unseenError{fmt.Errorf("reading the topic: %s", clean(first.Detail)), judge.SignIn}
		}
		return observation.Topic{}, fmt.Errorf("asking %s: %s", first.Operation, clean(first.Detail))
	}
	return topics[0], nil
}

// candidate is what a test alert may be about.
type candidate struct {
	environment string
	severity    finding.Severity
}

// candidates returns the environments asked for, or those that the filters name and one that none does.
func (p *alertPath) candidates(all []alertpath.Subscriber) []candidate {
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

// testAlerts returns few notices that together reach every subscription a test alert can reach: the candidate that reaches
// most of the rest comes next.
// One is sent in any case.
func testAlerts(paths []pathOfAlert, candidates []candidate, a *App) []incident.Notice {
	reaches := func(c candidate, s pathOfAlert) bool {
		m := alert.Compose(alert.TestAlert(c.environment, c.severity, a.Now()), alert.Options{})
		return s.State == alertpath.OK && s.subscriber.Gets(m.Attributes)
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
		out = append(out, alert.TestAlert(best.environment, best.severity, a.Now()))
		left = slices.DeleteFunc(left, func(s pathOfAlert) bool { return reaches(best, s) })
		if len(left) == 0 {
			return out
		}
	}
}

// sent records a test alert and whom it reaches.
func (t *topicReport) sent(n incident.Notice) {
	t.Sent = append(t.Sent, n.Record.Environment+" "+n.Severity.String())
	attributes := alert.Compose(n, alert.Options{}).Attributes
	for i := range t.Subscriptions {
		s := &t.Subscriptions[i]
		s.Tried = s.Tried || s.State == alertpath.OK && s.subscriber.Gets(attributes)
	}
}

func (p *alertPath) write(out pathReport) error {
	if p.format.name == "json" {
		return p.app.writeJSON(out)
	}
	w := p.app.Stdout
	for _, t := range out.Topics {
		fmt.Fprintf(w, "%s\n", clean(t.ARN))
		for _, s := range t.Subscriptions {
			mark := map[alertpath.State]string{alertpath.OK: "✓", alertpath.Unknown: "?"}[s.State]
			if mark == "" {
				mark = "✗"
			}
			line := fmt.Sprintf("  %s %-8s %s", mark, clean(s.Protocol), clean(s.Endpoint))
			switch {
			case s.Note != "":
				line += "  " + clean(s.Note)
			case s.Tried:
				line += "  test alert sent"
			case p.test:
				line += "  not tested: its filter policy matches no test alert"
			}
			fmt.Fprintln(w, line)
		}
		if len(t.Sent) > 0 {
			fmt.Fprintf(w, "  Sent: %s. Check that everyone received it.\n", clean(strings.Join(t.Sent, ", ")))
		}
	}
	if out.Bus != nil && len(out.Bus.Sent) > 0 {
		fmt.Fprintf(w, "event bus %s\n  Sent: %s. Check that its rules matched it.\n", clean(out.Bus.Name), clean(strings.Join(out.Bus.Sent, ", ")))
	}
	for _, text := range out.Problems {
		fmt.Fprintf(w, "problem: %s\n", clean(text))
	}
	return nil
}
