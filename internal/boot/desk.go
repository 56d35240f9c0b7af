package boot

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	awssns "github.com/aws/aws-sdk-go-v2/service/sns"

	"certdrift/internal/alert"
	"certdrift/internal/awsio/sns"
	"certdrift/internal/awsio/state"
	"certdrift/internal/target"
)

// Incidents opens the functions' table for a person.
func Incidents(ctx context.Context, table string) (*state.Store, error) {
	cloud, err := newCloud(ctx)
	if err != nil {
		return nil, err
	}
	return state.New(dynamodb.NewFromConfig(cloud.base), table, time.Now), nil
}

// AlertPath is a topic as a person tries it: who gets its messages, and a message to it.
type AlertPath struct {
	arn    string
	client *awssns.Client
	topic  *sns.Topic
}

// OpenAlertPath opens a topic in the region that its ARN names. chat tells that Amazon Q Developer reads it.
func OpenAlertPath(ctx context.Context, arn string, chat bool) (*AlertPath, error) {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) != 6 || parts[0] != "arn" || parts[2] != "sns" || parts[3] == "" || parts[5] == "" {
		return nil, fmt.Errorf("opening the topic %q: it takes an ARN such as arn:aws:sns:us-west-2:111122223333:certdrift-alerts", arn)
	}
	cloud, err := newCloud(ctx)
	if err != nil {
		return nil, err
	}
	client := awssns.NewFromConfig(cloud.in(parts[3], target.Role{}))
	p := &AlertPath{arn: arn, client: client, topic: sns.New(client, arn)}
	if chat {
		p.topic = sns.NewChat(client, arn)
	}
	return p, nil
}

// Send publishes a message.
func (p *AlertPath) Send(ctx context.Context, m alert.Message) error { return p.topic.Send(ctx, m) }

// Subscriptions lists who gets the messages; missing tells that the topic does not exist.
func (p *AlertPath) Subscriptions(ctx context.Context) (all []sns.Subscription, missing bool, err error) {
	return sns.Subscriptions(ctx, p.client, p.arn)
}
