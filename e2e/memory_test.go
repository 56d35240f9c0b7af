package e2e

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// remembered are the items of the state table as text, for the log of a failed test.
func remembered(t *testing.T, cfg aws.Config, table string) []string {
	t.Helper()
	got, err := dynamodb.NewFromConfig(cfg).Scan(t.Context(), &dynamodb.ScanInput{TableName: &table})
	check(t, err)
	var all []string
	for _, item := range got.Items {
		if record, ok := item["record"].(*types.AttributeValueMemberS); ok {
			all = append(all, record.Value)
		}
	}
	return all
}
