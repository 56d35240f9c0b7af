package alertpath_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"certdrift/internal/alert"
	"certdrift/internal/alertpath"
	"certdrift/internal/finding"
	"certdrift/internal/incident"
	"certdrift/internal/observation"
)

const (
	topicARN = "arn:aws:sns:us-west-2:111122223333:alerts"
	chatARN  = "arn:aws:sns:us-west-2:111122223333:chat"
)

func alerts(environments ...string) alertpath.Alerts {
	return alertpath.Alerts{
		Environments: environments,
		Codes:        []finding.Code{finding.CertExpired, finding.DriftAttached, finding.ListenerPolicyOld},
		Critical:     []finding.Code{finding.CertExpired, finding.DriftAttached},
	}
}

func mail(policy string) observation.Subscription {
	return observation.Subscription{ARN: topicARN + ":1", Protocol: "email", Endpoint: "ops@example.org", FilterPolicy: policy}
}

func with(change func(*observation.Subscription)) observation.Subscription {
	s := mail("")
	change(&s)
	return s
}

func TestProblems(t *testing.T) {
	pending := with(func(s *observation.Subscription) { s.Pending = true })
	deleted := with(func(s *observation.Subscription) { s.Deleted = true })
	unread := with(func(s *observation.Subscription) { s.Unread = "AuthorizationError" })
	onBody := with(func(s *observation.Subscription) { s.OnBody, s.FilterPolicy = true, `{"a":["b"]}` })
	all := func(subscriptions ...observation.Subscription) []observation.Topic {
		return []observation.Topic{{ARN: topicARN, Read: true, Subscriptions: subscriptions}}
	}
	expecting := func(topics []observation.Topic, protocols ...string) []observation.Topic {
		topics[0].Expected = protocols
		return topics
	}
	chat := observation.Topic{ARN: chatARN, Chat: true, Read: true, Subscriptions: []observation.Subscription{{ARN: chatARN + ":1", Protocol: "https"}}}
	deaf := observation.Topic{ARN: chatARN, Chat: true, Read: true}
	for name, c := range map[string]struct {
		environments []string
		topics       []observation.Topic
		want         []string // KIND SEVERITY ENVIRONMENT, in order
	}{
		"no topic":                       {topics: nil},
		"all is well":                    {topics: all(mail(""))},
		"one of two is unconfirmed":      {topics: all(mail(""), pending), want: []string{"subscription warning "}},
		"the only one is unconfirmed":    {topics: all(pending), want: []string{"subscription warning ", "nobody critical "}},
		"one of two has unsubscribed":    {topics: all(mail(""), deleted), want: []string{"subscription warning "}},
		"a filter never matches":         {topics: all(mail(""), mail(`{"sevrity":["critical"]}`)), want: []string{"subscription warning "}},
		"nobody at all":                  {topics: all(), want: []string{"nobody critical "}},
		"three with one fault are one":   {topics: all(mail(""), pending, pending, pending), want: []string{"subscription warning "}},
		"a filter that cannot be read":   {topics: all(unread)},
		"a filter on the body":           {topics: all(onBody)},
		"not read":                       {topics: []observation.Topic{{ARN: topicARN}}},
		"more than were read":            {topics: []observation.Topic{{ARN: topicARN, Read: true, Partial: true}}},
		"gone":                           {topics: []observation.Topic{{ARN: topicARN, Missing: true}}, want: []string{"topic-missing critical "}},
		"refuses":                        {topics: []observation.Topic{{ARN: topicARN, Refused: "KMSDisabled"}}, want: []string{"topic-refuses critical "}},
		"gone, but there is chat":        {topics: []observation.Topic{{ARN: topicARN, Missing: true}, chat}, want: []string{"topic-missing critical "}},
		"chat is gone":                   {topics: append(all(mail("")), observation.Topic{ARN: chatARN, Chat: true, Missing: true}), want: []string{"topic-missing warning "}},
		"chat refuses":                   {topics: append(all(mail("")), observation.Topic{ARN: chatARN, Chat: true, Read: true, Refused: "no"}), want: []string{"topic-refuses warning "}},
		"nobody set the chat up":         {topics: append(all(mail("")), deaf), want: []string{"nobody warning "}},
		"only the chat hears":            {topics: append(all(), chat), want: []string{"nobody warning "}},
		"neither hears":                  {topics: append(all(), deaf), want: []string{"nobody critical ", "nobody critical "}},
		"an environment without ears":    {[]string{"production", "staging"}, all(mail(`{"environment":["staging","none"]}`)), []string{"environment-unheard critical production"}},
		"the chat hears it":              {[]string{"production", "staging"}, append(all(mail(`{"environment":["staging"]}`)), chat), nil},
		"warnings only":                  {[]string{"production"}, all(mail(`{"severity":["warning"]}`)), []string{"environment-unheard critical production", "environment-unheard warning "}},
		"recoveries only":                {[]string{"production"}, all(mail(`{"event":["recovered"]}`)), []string{"environment-unheard critical production", "environment-unheard warning "}},
		"one code only":                  {[]string{"production"}, all(mail(`{"code":["cert-expired"]}`)), []string{"codes-unheard warning production", "environment-unheard warning "}},
		"certdrift's own reach nobody":   {[]string{"production"}, all(mail(`{"environment":["production"]}`)), []string{"environment-unheard warning "}},
		"the telephone, as deployed":     {[]string{"production"}, all(mail(`{"severity":["critical",{"exists":false}],"sms":["send",{"exists":false}]}`)), nil},
		"an environment that is no more": {[]string{"production"}, all(mail(""), mail(`{"environment":["old"]}`)), []string{"subscription warning "}},
		"what was deployed is there":     {topics: expecting(all(mail(""), pending), "email", "email"), want: []string{"subscription warning "}},
		"one that was deployed is gone":  {topics: expecting(all(mail("")), "email", "sms", "email"), want: []string{"subscriptions-missing warning ", "subscriptions-missing warning "}},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, p := range alerts(c.environments...).Problems(c.topics) {
				got = append(got, fmt.Sprintf("%s %s %s", p.Kind, p.Severity, p.Environment))
				if p.Topic == "" || p.Text == "" {
					t.Errorf("a problem without its topic or text: %+v", p)
				}
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("problems %q, want %q", got, c.want)
			}
		})
	}
}

// A foreign name in a text is one that a terminal and a log can bear.
func TestProblemsAreClean(t *testing.T) {
	s := with(func(s *observation.Subscription) {
		s.Pending, s.Endpoint = true, "x\x1b[31m\n"+strings.Repeat("y", 500)
	})
	phone := observation.Subscription{Protocol: "sms", Endpoint: "+12065550100", Deleted: true}
	topics := []observation.Topic{{ARN: topicARN, Read: true, Subscriptions: []observation.Subscription{mail(`{"environment":["a"]}`), s, phone}}}
	for _, p := range alerts("e\x1b\u202e", "a").Problems(topics) {
		if strings.Contains(p.Text, "206555") {
			t.Errorf("a telephone number stands in a report: %q", p.Text)
		}
		if strings.ContainsAny(p.Text, "\x1b\n\u202e") || len(p.Text) > 1000 {
			t.Errorf("%q", p.Text)
		}
	}
}

// The path is judged by the attributes that alerts really carry.
func TestAttributesAreThoseOfAlerts(t *testing.T) {
	for _, environment := range []string{"", "production", "e\x1b" + strings.Repeat("ü", 200)} {
		n := incident.Notice{Event: incident.Opened, Severity: finding.Critical, At: time.Now(), Record: incident.Record{Environment: environment, Code: finding.CertExpired}}
		sent := alert.Compose(n, alert.Options{}).Attributes
		policy := map[string][]string{}
		for name, value := range sent {
			policy[name] = []string{value}
		}
		exact, err := json.Marshal(policy)
		if err != nil {
			t.Fatal(err)
		}
		a := alertpath.Alerts{Environments: []string{environment}, Codes: []finding.Code{finding.CertExpired}}
		if got := a.Judge([]observation.Subscription{mail(string(exact))})[0]; got.State != alertpath.OK {
			t.Errorf("environment %q: a filter for just what is sent (%v) is %s: %s", environment, sent, got.State, got.Note)
		}
	}
	if alertpath.NoEnvironment != alert.NoEnvironment {
		t.Error("alerts and their path disagree on what belongs to no environment")
	}
}

// Hundreds of subscribers and environments are checked at once.
func TestManySubscribersAndEnvironments(t *testing.T) {
	var environments []string
	for i := range 200 {
		environments = append(environments, fmt.Sprint("e", i))
	}
	a := alerts(environments...)
	for range 60 {
		a.Codes = append(a.Codes, finding.CertExpired)
	}
	topic := observation.Topic{ARN: topicARN, Read: true, Subscriptions: []observation.Subscription{mail("")}}
	for range 499 {
		topic.Subscriptions = append(topic.Subscriptions, mail(`{"$or":[{"sevrity":["critical"]},{"environment":["nowhere"]}]}`))
	}
	if got := a.Problems([]observation.Topic{topic}); len(got) != 1 || len(got[0].Subscribers) != 499 {
		t.Errorf("problems %d", len(got))
	}
}
