// Package state keeps incidents in a DynamoDB table: one item an incident, so that two functions that run at once meet
// at the incident and nowhere else. The table's key is the attribute id, a text; its TTL attribute is expires.
//
// Load scans the table rather than querying a partition: it holds little but incidents (see Configuration), all are wanted,
// and without a shared partition key no write can make another one wait.
package state

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"certdrift/internal/awsio/awserr"
	"certdrift/internal/incident"
)

// The attributes of an item. The record is JSON in one text: people and queries need the others only.
const (
	idAttribute      = "id"      // the incident's key
	versionAttribute = "version" // what the next write is conditional on
	recordAttribute  = "record"
	expiresAttribute = "expires" // seconds since 1970; absent while the incident lives
)

const (
	maxPages = 200 // of 1 MB each
	maxItem  = 390 << 10
)

// tableAPI is what is asked of DynamoDB.
type tableAPI interface {
	Scan(context.Context, *dynamodb.ScanInput, ...func(*dynamodb.Options)) (*dynamodb.ScanOutput, error)
	PutItem(context.Context, *dynamodb.PutItemInput, ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error)
}

// Store keeps incidents in a table.
type Store struct {
	client tableAPI
	table  string
	now    func() time.Time

	mu sync.Mutex
	// broken are items that could not be decoded, by id, with their version attribute (nil where they have none).
	broken map[string]types.AttributeValue
}

// New returns a Store for a table. now determines which items have expired: DynamoDB deletes them up to days later.
func New(client tableAPI, table string, now func() time.Time) *Store {
	return &Store{client: client, table: table, now: now, broken: map[string]types.AttributeValue{}}
}

// Load returns all records that have not expired, sorted by key. Its errors have an ObserveErrorKind. An item that cannot be
// decoded (a person edited it, an older version wrote it) is left out, and the next Save under its id replaces it: its
// alert is repeated, which is better than a store that can never be read again.
func (s *Store) Load(ctx context.Context) ([]incident.Record, error) {
	var records []incident.Record
	broken := map[string]types.AttributeValue{}
	var from map[string]types.AttributeValue
	for range maxPages {
		out, err := s.client.Scan(ctx, &dynamodb.ScanInput{
			TableName: aws.String(s.table), ConsistentRead: aws.Bool(true), ExclusiveStartKey: from,
		})
		if err != nil {
			return nil, &awserr.Error{Doing: fmt.Sprintf("reading the incidents from the table %q", s.table), Err: err}
		}
		for _, item := range out.Items {
			if isConfiguration(item) {
				continue
			}
			r, err := decode(item)
			switch {
			case err != nil:
				if id, ok := item[idAttribute].(*types.AttributeValueMemberS); ok {
					broken[id.Value] = item[versionAttribute]
				}
			case r.Expires().IsZero() || s.now().Before(r.Expires()):
				records = append(records, r)
			}
		}
		if from = out.LastEvaluatedKey; len(from) == 0 {
			slices.SortFunc(records, func(a, b incident.Record) int { return strings.Compare(a.Key, b.Key) })
			s.mu.Lock()
			s.broken = broken
			s.mu.Unlock()
			return records, nil
		}
	}
	return nil, &awserr.Error{
		Doing: fmt.Sprintf("reading the incidents from the table %q", s.table), Err: fmt.Errorf("there are more than %d pages", maxPages),
	}
}

// Broken are the ids of the items that the last Load could not decode, sorted.
func (s *Store) Broken() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Sorted(maps.Keys(s.broken))
}

// Save writes a record on the condition that the stored version is still the record's, and makes it one more. false
// means that somebody else wrote first. An item that has expired and is still there counts as absent.
func (s *Store) Save(ctx context.Context, r incident.Record) (bool, error) {
	condition, values := s.condition(r)
	r.Version++
	item, err := encode(r)
	if err != nil {
		return false, err
	}
	_, err = s.client.PutItem(ctx, &dynamodb.PutItemInput{
		TableName: aws.String(s.table), Item: item, ConditionExpression: aws.String(condition),
		ExpressionAttributeNames: names(condition), ExpressionAttributeValues: values,
	})
	if _, conflict := errors.AsType[*types.ConditionalCheckFailedException](err); conflict {
		return false, nil
	}
	if err != nil {
		return false, &awserr.Error{Doing: fmt.Sprintf("writing the incident %q to the table %q", r.Key, s.table), Err: err}
	}
	return true, nil
}

// condition is what must hold of the stored item.
func (s *Store) condition(r incident.Record) (string, map[string]types.AttributeValue) {
	s.mu.Lock()
	version, broken := s.broken[r.Key]
	s.mu.Unlock()
	switch {
	case r.Version != 0:
		return "#version = :version", map[string]types.AttributeValue{":version": number(r.Version)}
	case !broken:
		return "attribute_not_exists(#id) OR #expires <= :now", map[string]types.AttributeValue{":now": number(s.now().Unix())}
	case version == nil:
		return "attribute_not_exists(#version)", nil
	}
	return "#version = :version", map[string]types.AttributeValue{":version": version}
}

// names are the placeholders that a condition uses; DynamoDB refuses one that it doesn't.
func names(condition string) map[string]string {
	out := map[string]string{}
	for _, name := range []string{idAttribute, versionAttribute, expiresAttribute} {
		if strings.Contains(condition, "#"+name) {
			out["#"+name] = name
		}
	}
	return out
}

func encode(r incident.Record) (map[string]types.AttributeValue, error) {
	text, err := json.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("encoding the incident %q: %w", r.Key, err)
	}
	if len(text) > maxItem {
		return nil, fmt.Errorf("encoding the incident %q: its %d bytes exceed DynamoDB's limit", r.Key, len(text))
	}
	item := map[string]types.AttributeValue{
		idAttribute:      &types.AttributeValueMemberS{Value: r.Key},
		versionAttribute: number(r.Version),
		recordAttribute:  &types.AttributeValueMemberS{Value: string(text)},
	}
	if expires := r.Expires(); !expires.IsZero() {
		item[expiresAttribute] = number(expires.Unix())
	}
	return item, nil
}

// decode reads an item. The version attribute counts, not the one in the JSON: conditions go by it.
func decode(item map[string]types.AttributeValue) (incident.Record, error) {
	id, _ := item[idAttribute].(*types.AttributeValueMemberS)
	text, _ := item[recordAttribute].(*types.AttributeValueMemberS)
	version, _ := item[versionAttribute].(*types.AttributeValueMemberN)
	if id == nil || text == nil || version == nil {
		return incident.Record{}, errors.New("decoding an item: it has no id, version or record")
	}
	var r incident.Record
	if err := json.Unmarshal([]byte(text.Value), &r); err != nil {
		return incident.Record{}, fmt.Errorf("decoding the incident %q: %w", id.Value, err)
	}
	n, err := strconv.ParseInt(version.Value, 10, 64)
	if err != nil {
		return incident.Record{}, fmt.Errorf("decoding the version of %q: %w", id.Value, err)
	}
	r.Key, r.Version = id.Value, n
	return r, nil
}

func number(n int64) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.FormatInt(n, 10)}
}
