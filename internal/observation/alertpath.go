package observation

// AlertPath is the path that alerts take to people: the topics and their subscriptions.
type AlertPath struct {
	// Environments are all environments of the configuration, including those that a narrowed round skips.
	Environments []string `json:"environments,omitempty"`
	Topics       []Topic  `json:"topics"`
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
