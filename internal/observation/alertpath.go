package observation

// AlertPath is the way that alerts take to people: the topics, and who is subscribed to them.
type AlertPath struct {
	// Environments are all of the configuration, those left out of a narrowed round included.
	Environments []string `json:"environments,omitempty"`
	Topics       []Topic  `json:"topics"`
}

// Topic is an SNS topic that alerts go to.
type Topic struct {
	ARN string `json:"arn"`
	// Chat: Amazon Q Developer in chat applications reads it; it is a path beside the operators' topic.
	Chat bool `json:"chat,omitempty"`
	// Read: SNS was asked who is subscribed, and told. Without it nothing may be concluded from what is absent.
	Read bool `json:"read,omitempty"`
	// Missing: SNS says that there is no such topic.
	Missing bool `json:"missing,omitempty"`
	// Partial: there are more subscriptions than were read.
	Partial bool `json:"partial,omitempty"`
	// Taken: it took the last message that this process sent. Refused says why it did not; both are empty where nothing
	// was sent.
	Taken   bool   `json:"taken,omitempty"`
	Refused string `json:"refused,omitempty"`
	// Expected are the protocols of the subscriptions that whoever deployed asked for, each as often as it should occur.
	Expected      []string       `json:"expected,omitempty"`
	Subscriptions []Subscription `json:"subscriptions,omitempty"`
}

// Subscription is who gets a topic's messages.
type Subscription struct {
	ARN      string `json:"arn,omitempty"` // empty until it is confirmed
	Protocol string `json:"protocol"`      // email, sms, https, …
	// Endpoint is the address, without what a URL may keep secret.
	Endpoint string `json:"endpoint"`
	// FilterPolicy is its JSON; OnBody tells that it looks into the message's body and not at its attributes.
	FilterPolicy string `json:"filter_policy,omitempty"`
	OnBody       bool   `json:"on_body,omitempty"`
	// Pending: nobody has confirmed it yet, so nothing is delivered.
	Pending bool `json:"pending,omitempty"`
	// Deleted: somebody has unsubscribed; SNS lists it for a while all the same.
	Deleted bool `json:"deleted,omitempty"`
	// Unread says why its filter policy is not known; empty where it is.
	Unread string `json:"unread,omitempty"`
}
