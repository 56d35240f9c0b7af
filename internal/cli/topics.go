package cli

import (
	"github.com/spf13/cobra"

	"certdrift/internal/awsio/sns"
)

// topicFlags name the topics that alerts go to.
type topicFlags struct{ topic, chat string }

// The variables that name the topics where the flags do not, as in the functions.
const (
	topicVariable = "CERTDRIFT_TOPIC_ARN"
	chatVariable  = "CERTDRIFT_CHAT_TOPIC_ARN"
)

func (t *topicFlags) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&t.topic, "topic", "", "`ARN` of the topic for people and machines (default $"+topicVariable+")")
	cmd.Flags().StringVar(&t.chat, "chat-topic", "", "`ARN` of the topic for chat (default $"+chatVariable+")")
}

// named returns the ARNs; empty for none.
func (t *topicFlags) named(a *App) (topic, chat string) {
	return a.setting(t.topic, topicVariable), a.setting(t.chat, chatVariable)
}

func (t *topicFlags) check(a *App) error {
	topic, chat := t.named(a)
	for _, arn := range []string{topic, chat} {
		if arn != "" && sns.RegionOf(arn) == "" {
			return usage("use an ARN such as arn:aws:sns:us-west-2:111122223333:certdrift-alerts", "%q is not a topic ARN", arn)
		}
	}
	return nil
}
