// Package alert writes what people and machines read of an incident: mail, text message, chat, JSON. It is pure: a
// notice in, a message out.
package alert

// Message is one notice in every form. Default, Email, SMS and JSON become the keys default, email, sms, and https, http,
// sqs, lambda of an SNS message with MessageStructure=json.
type Message struct {
	// Subject is ASCII, at most SubjectLimit characters, one line.
	Subject string
	// Default is for protocols without a text of their own.
	Default string
	Email   string
	// SMS is one segment (see SMSFits).
	SMS string
	// JSON is the document of schema certdrift.alert/1 (docs/alert.schema.json), on one line. It is also the detail of
	// the EventBridge event.
	JSON string
	// Chat is a custom notification for Amazon Q Developer in chat applications, for a topic of its own.
	Chat string
	// Attributes are SNS message attributes, all strings, none empty: environment, severity, code, event for filter
	// policies, and sms ("send", or "held" where the hour's text messages are used up; the SMS subscription's filter
	// policy asks for "send").
	Attributes map[string]string
}

// SubjectLimit is SNS's: at most 100 characters.
const SubjectLimit = 100
