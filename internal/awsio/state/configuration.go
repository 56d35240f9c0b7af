package state

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"certdrift/internal/awsio/awserr"
)

// configurationID is the item that holds the last good configuration. It is no incident's key, which names an environment and a
// cause.
const (
	configurationID = "configuration"
	dataAttribute   = "data"
)

// MaxConfiguration is how many bytes SaveConfiguration takes: every scan for incidents reads the item as well.
const MaxConfiguration = 300 << 10

// configurationAPI is what is asked of DynamoDB for the configuration alone.
type configurationAPI interface {
	tableAPI
	GetItem(context.Context, *dynamodb.GetItemInput, ...func(*dynamodb.Options)) (*dynamodb.GetItemOutput, error)
}

// Configuration keeps the last good configuration in the incidents' table, so that a function that starts with a broken one
// has something to run.
type Configuration struct {
	client configurationAPI
	table  string
}

// NewConfiguration returns the configuration's place in a table.
func NewConfiguration(client configurationAPI, table string) *Configuration {
	return &Configuration{client, table}
}

// Load returns what was saved last; nil where nothing was.
func (c *Configuration) Load(ctx context.Context) ([]byte, error) {
	out, err := c.client.GetItem(ctx, &dynamodb.GetItemInput{
		TableName: aws.String(c.table), ConsistentRead: aws.Bool(true),
		Key: map[string]types.AttributeValue{idAttribute: &types.AttributeValueMemberS{Value: configurationID}},
	})
	if err != nil {
		return nil, &awserr.Error{Doing: fmt.Sprintf("reading the last good configuration from the table %q", c.table), Err: err}
	}
	data, _ := out.Item[dataAttribute].(*types.AttributeValueMemberB)
	if data == nil {
		return nil, nil
	}
	return data.Value, nil
}

// Save replaces what was saved before.
func (c *Configuration) Save(ctx context.Context, data []byte) error {
	if len(data) > MaxConfiguration {
		return fmt.Errorf("keeping the last good configuration: %d bytes exceed the limit of %d", len(data), MaxConfiguration)
	}
	_, err := c.client.PutItem(ctx, &dynamodb.PutItemInput{TableName: aws.String(c.table), Item: map[string]types.AttributeValue{
		idAttribute: &types.AttributeValueMemberS{Value: configurationID}, dataAttribute: &types.AttributeValueMemberB{Value: data},
	}})
	if err != nil {
		return &awserr.Error{Doing: fmt.Sprintf("keeping the last good configuration in the table %q", c.table), Err: err}
	}
	return nil
}

// isConfiguration reports whether an item is the configuration's, and no incident.
func isConfiguration(item map[string]types.AttributeValue) bool {
	id, _ := item[idAttribute].(*types.AttributeValueMemberS)
	return id != nil && id.Value == configurationID
}
