package observation

// AlertPath is the path that alerts take to people: the topics and their subscriptions.
type AlertPath struct {
	// Environments are all environments of the configuration, including those that a narrowed round skips.
	Environments []string `json:"environments,omitempty"`
	Topics       []Topic  `json:"topics"`
	// Stack is what runs and guards certdrift; nil where the round did not read it.
	Stack *OwnStack `json:"stack,omitempty"`
}

// Topic is an SNS topic that alerts go to.
type Topic struct {
	ARN string `json:"arn"`
	// Chat reports whether Amazon Q Developer in chat applications reads the topic, in addition to the operators' topic.
	Chat bool `json:"chat,omitempty"`
	// Read reports whether SNS returned the subscriptions. If not, nothing may be concluded from what is absent.
	Read bool `json:"read,omitempty"`
	// Missing reports whether SNS says that the topic does not exist.
	Missing bool `json:"missing,omitempty"`
	// Partial reports whether there are more subscriptions than were read.
	Partial bool `json:"partial,omitempty"`
	// Taken reports whether the topic accepted the last message that this process sent. Refused says why it did not; both
	// are empty where nothing was sent.
	Taken   bool   `json:"taken,omitempty"`
	Refused string `json:"refused,omitempty"`
	// Expected are the protocols of the subscriptions requested at deployment, each as often as it should occur.
	Expected      []string       `json:"expected,omitempty"`
	Subscriptions []Subscription `json:"subscriptions,omitempty"`
}

// Subscription is a recipient of a topic's messages.
type Subscription struct {
	ARN      string `json:"arn,omitempty"` // empty until it is confirmed
	Protocol string `json:"protocol"`      // email, sms, https, …
	// Endpoint is the address, without the parts of a URL that may be secret.
	Endpoint string `json:"endpoint"`
	// FilterPolicy is its JSON; OnBody reports whether it filters on the message body instead of the attributes.
	FilterPolicy string `json:"filter_policy,omitempty"`
	OnBody       bool   `json:"on_body,omitempty"`
	// Pending reports whether it is unconfirmed, so that nothing is delivered.
	Pending bool `json:"pending,omitempty"`
	// Deleted reports whether it was unsubscribed; SNS keeps listing it for a while.
	Deleted bool `json:"deleted,omitempty"`
	// Unread says why its filter policy could not be read; empty where it was read.
	Unread string `json:"unread,omitempty"`
}

// OwnStack is what starts certdrift's rounds and what reports that they stop: the rules and alarms of its own stack, as far as
// they could be read.
type OwnStack struct {
	Rules  []EventRule `json:"rules,omitempty"`
	Alarms []Alarm     `json:"alarms,omitempty"`
}

// EventRule is an EventBridge rule that was deployed.
type EventRule struct {
	Name string `json:"name"`
	// Missing reports whether EventBridge says that the rule does not exist.
	Missing bool   `json:"missing,omitempty"`
	State   string `json:"state,omitempty"` // ENABLED, DISABLED, …
	// Schedule is its schedule expression, ExpectedSchedule the one that was deployed. Both are empty if it matches events.
	Schedule         string   `json:"schedule,omitempty"`
	ExpectedSchedule string   `json:"expected_schedule,omitempty"`
	Targets          []string `json:"targets,omitempty"` // ARNs
}

// Alarm is a CloudWatch alarm that was deployed.
type Alarm struct {
	Name string `json:"name"`
	// Missing reports whether CloudWatch does not list the alarm.
	Missing bool `json:"missing,omitempty"`
	// ActionsEnabled is its switch, Actions are the ARNs that it notifies. Expected is the one that it was deployed with; empty
	// for an alarm that only feeds another.
	ActionsEnabled bool     `json:"actions_enabled"`
	Actions        []string `json:"actions,omitempty"`
	Expected       string   `json:"expected,omitempty"`
}
