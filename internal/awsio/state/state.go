// Package state keeps incidents and counters in a DynamoDB table: one item each, so that two functions that run at once
// meet at the incident and nowhere else. The table's key is the attribute id, a text; its TTL attribute is expires.
//
// Load scans the table rather than querying a partition: it holds little else (see Configuration), all of it is
// wanted, and without a shared partition key no write can make another one wait.
//
// # Versions of the items
//
// An item's record attribute is JSON. A counter's has the key "counter", an incident's does not. Versions before counters
// had a type of their own wrote the same JSON, an incident record with nothing but a counter in it. So this package reads
// what they wrote, and they read what it writes, as while a deployment replaces the functions one by one, or after it is
// rolled back. What a newer version adds to an incident's JSON an older one ignores, and drops when it next writes the
// incident.
package state

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
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
	idAttribute      = "id"      // the key of the incident or counter
	versionAttribute = "version" // what the next write is conditional on
	recordAttribute  = "record"
	expiresAttribute = "expires" // seconds since 1970; absent while an incident lives
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

// Store keeps incidents and counters in a table.
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

// Load returns all incidents and counters that have not expired, sorted by key. Its errors have an ObserveErrorKind. An item
// that cannot be decoded (a person edited it) is left out, and the next write under its id replaces it: its alert is
// repeated, which is better than a store that can never be read again.
func (s *Store) Load(ctx context.Context) (incident.State, error) {
	var all incident.State
	broken := map[string]types.AttributeValue{}
	var from map[string]types.AttributeValue
	for range maxPages {
		out, err := s.client.Scan(ctx, &dynamodb.ScanInput{
			TableName: aws.String(s.table), ConsistentRead: aws.Bool(true), ExclusiveStartKey: from,
		})
		if err != nil {
			return incident.State{}, s.failed("reading the incidents from the table", err)
		}
		for _, item := range out.Items {
			if isConfiguration(item) {
				continue
			}
			if err := s.decode(item, &all); err == nil {
				continue
			}
			if id, ok := item[idAttribute].(*types.AttributeValueMemberS); ok {
				broken[id.Value] = item[versionAttribute]
			}
		}
		if from = out.LastEvaluatedKey; len(from) == 0 {
			slices.SortFunc(all.Incidents, func(a, b incident.Record) int { return strings.Compare(a.Key, b.Key) })
			slices.SortFunc(all.Counters, func(a, b incident.Counter) int { return strings.Compare(a.Key, b.Key) })
			s.mu.Lock()
			s.broken = broken
			s.mu.Unlock()
			return all, nil
		}
	}
	return incident.State{}, s.failed("reading the incidents from the table", fmt.Errorf("there are more than %d pages", maxPages))
}

func (s *Store) failed(doing string, err error) error {
	return &awserr.Error{Doing: fmt.Sprintf("%s %q", doing, s.table), Err: err}
}

// Broken are the ids of the items that the last Load could not decode, sorted.
func (s *Store) Broken() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Sorted(maps.Keys(s.broken))
}

// SaveIncident writes an incident on the condition that the stored version is still the record's, and makes it one more.
// false means that somebody else wrote first. An item that has expired and is still there counts as absent.
func (s *Store) SaveIncident(ctx context.Context, r incident.Record) (bool, error) {
	before := r.Version
	r.Version++
	return s.put(ctx, document{Record: r}, before, r.Expires())
}

// SaveCounter writes a counter on the same condition.
func (s *Store) SaveCounter(ctx context.Context, c incident.Counter) (bool, error) {
	return s.put(ctx, document{
		Record: incident.Record{Key: c.Key, Version: c.Version + 1}, Counter: &counted{Hour: c.Period, Used: c.Used},
	}, c.Version, c.Expires())
}

func (s *Store) put(ctx context.Context, d document, before int64, expires time.Time) (bool, error) {
	item, err := d.encode(expires)
	if err != nil {
		return false, err
	}
	condition, values := s.condition(d.Key, before)
	_, err = s.client.PutItem(ctx, &dynamodb.PutItemInput{
		TableName: aws.String(s.table), Item: item, ConditionExpression: aws.String(condition),
		ExpressionAttributeNames: names(condition), ExpressionAttributeValues: values,
	})
	if _, conflict := errors.AsType[*types.ConditionalCheckFailedException](err); conflict {
		return false, nil
	}
	if err != nil {
		return false, s.failed(fmt.Sprintf("writing %q to the table", d.Key), err)
	}
	return true, nil
}

// condition is what must hold of the stored item, where the version that the writer knows is given; 0 for none.
func (s *Store) condition(key string, known int64) (string, map[string]types.AttributeValue) {
	s.mu.Lock()
	version, broken := s.broken[key]
	s.mu.Unlock()
	switch {
	case known != 0:
		return "#version = :version", map[string]types.AttributeValue{":version": number(known)}
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

// document is the JSON of an item: an incident, or, where Counter is set, a counter with the record's key and version.
type document struct {
	incident.Record
	Counter *counted `json:"counter,omitempty"`
}

// counted is a counter in JSON. Hour is the day's beginning for a counter of days: the name is older than those.
type counted struct {
	Hour time.Time `json:"hour"`
	Used int       `json:"used"`
}

func (d document) encode(expires time.Time) (map[string]types.AttributeValue, error) {
	text, err := json.Marshal(d)
	if err != nil {
		return nil, fmt.Errorf("encoding %q: %w", d.Key, err)
	}
	if len(text) > maxItem {
		return nil, fmt.Errorf("encoding %q: its %d bytes exceed DynamoDB's limit", d.Key, len(text))
	}
	item := map[string]types.AttributeValue{
		idAttribute:      &types.AttributeValueMemberS{Value: d.Key},
		versionAttribute: number(d.Version),
		recordAttribute:  &types.AttributeValueMemberS{Value: string(text)},
	}
	if !expires.IsZero() {
		item[expiresAttribute] = number(expires.Unix())
	}
	return item, nil
}

// decode adds an item to all unless it has expired. The version attribute counts, not the one in the JSON: conditions go by it.
func (s *Store) decode(item map[string]types.AttributeValue, all *incident.State) error {
	id, _ := item[idAttribute].(*types.AttributeValueMemberS)
	text, _ := item[recordAttribute].(*types.AttributeValueMemberS)
	version, _ := item[versionAttribute].(*types.AttributeValueMemberN)
	if id == nil || text == nil || version == nil {
		return errors.New("decoding an item: it has no id, version or record")
	}
	var d document
	if err := json.Unmarshal([]byte(text.Value), &d); err != nil {
		return fmt.Errorf("decoding %q: %w", id.Value, err)
	}
	n, err := strconv.ParseInt(version.Value, 10, 64)
	if err != nil {
		return fmt.Errorf("decoding the version of %q: %w", id.Value, err)
	}
	if n < 1 || n == math.MaxInt64 { // 0 means new to whoever writes, and the next one must be larger
		return fmt.Errorf("decoding %q: no item has the version %d", id.Value, n)
	}
	if d.Counter != nil {
		c := incident.Counter{Key: id.Value, Version: n, Period: d.Counter.Hour, Used: d.Counter.Used}
		if s.now().Before(c.Expires()) {
			all.Counters = append(all.Counters, c)
		}
		return nil
	}
	r := d.Record
	r.Key, r.Version = id.Value, n
	if r.Expires().IsZero() || s.now().Before(r.Expires()) {
		all.Incidents = append(all.Incidents, r)
	}
	return nil
}

func number(n int64) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.FormatInt(n, 10)}
}
