package state_test

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"

	"certdrift/internal/awsio/state"
	"certdrift/internal/incident"
	"certdrift/internal/observation"
)

func now() time.Time { return time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC) }

// table behaves as DynamoDB does for what the store asks: pages of two items, conditions, unused names refused.
type table struct {
	mu     sync.Mutex
	items  map[string]map[string]types.AttributeValue
	refuse error
}

func newTable() *table { return &table{items: map[string]map[string]types.AttributeValue{}} }

func text(v types.AttributeValue) string {
	s, _ := v.(*types.AttributeValueMemberS)
	return s.Value
}

func (d *table) Scan(_ context.Context, in *dynamodb.ScanInput, _ ...func(*dynamodb.Options)) (*dynamodb.ScanOutput, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.refuse != nil {
		return nil, d.refuse
	}
	if aws.ToString(in.TableName) != "incidents" || !aws.ToBool(in.ConsistentRead) {
		return nil, &types.ResourceNotFoundException{Message: aws.String("Requested resource not found")}
	}
	out := &dynamodb.ScanOutput{}
	for _, id := range slices.Sorted(maps.Keys(d.items)) {
		if in.ExclusiveStartKey != nil && id <= text(in.ExclusiveStartKey["id"]) {
			continue
		}
		if len(out.Items) == 2 {
			out.LastEvaluatedKey = map[string]types.AttributeValue{"id": out.Items[1]["id"]}
			break
		}
		out.Items = append(out.Items, d.items[id])
	}
	return out, nil
}

func (d *table) PutItem(_ context.Context, in *dynamodb.PutItemInput, _ ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.refuse != nil {
		return nil, d.refuse
	}
	condition := aws.ToString(in.ConditionExpression)
	for placeholder := range in.ExpressionAttributeNames {
		if !strings.Contains(condition, placeholder) {
			return nil, &smithy.GenericAPIError{Code: "ValidationException", Message: "Value provided in ExpressionAttributeNames unused in expressions: " + placeholder}
		}
	}
	id := text(in.Item["id"])
	if !holds(condition, in.ExpressionAttributeValues, d.items[id]) {
		return nil, &types.ConditionalCheckFailedException{Message: aws.String("The conditional request failed")}
	}
	d.items[id] = in.Item
	return &dynamodb.PutItemOutput{}, nil
}

func figure(v types.AttributeValue) int64 {
	n, ok := v.(*types.AttributeValueMemberN)
	if !ok {
		return -1
	}
	i, _ := strconv.ParseInt(n.Value, 10, 64)
	return i
}

func holds(condition string, values, item map[string]types.AttributeValue) bool {
	switch condition {
	case "":
		return true
	case "attribute_not_exists(#id) OR #expires <= :now":
		return item == nil || item["expires"] != nil && figure(item["expires"]) <= figure(values[":now"])
	case "attribute_not_exists(#version)":
		return item == nil || item["version"] == nil
	case "#version = :version":
		return item != nil && item["version"] != nil && figure(item["version"]) == figure(values[":version"])
	}
	panic("the fake does not know the condition " + condition)
}

func store(d *table) *state.Store { return state.New(d, "incidents", now) }

func save(t *testing.T, s *state.Store, r incident.Record) bool {
	t.Helper()
	ok, err := s.Save(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	return ok
}

func load(t *testing.T, s *state.Store) []incident.Record {
	t.Helper()
	records, err := s.Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return records
}

func TestRecordsComeBackFromAllPages(t *testing.T) {
	s := store(newTable())
	for _, key := range []string{"e", "b", "d", "a", "c"} {
		if !save(t, s, incident.Record{Key: key, Cause: "cause of " + key, First: now()}) {
			t.Fatalf("%s was not written", key)
		}
	}
	got := load(t, s)
	var keys string
	for _, r := range got {
		keys += r.Key
		if r.Version != 1 || r.Cause != "cause of "+r.Key || !r.First.Equal(now()) {
			t.Errorf("%+v", r)
		}
	}
	if keys != "abcde" {
		t.Errorf("read %s", keys)
	}
}

func TestWhoComesSecondIsTold(t *testing.T) {
	d := newTable()
	one, other := store(d), store(d)
	r := incident.Record{Key: "x"}
	if !save(t, one, r) || save(t, other, r) {
		t.Error("two made the same incident")
	}
	r = load(t, one)[0]
	changed := r
	changed.CleanRounds = 1
	if !save(t, other, changed) || save(t, one, r) {
		t.Error("two wrote the same version")
	}
	if got := load(t, one)[0]; got.Version != 2 || got.CleanRounds != 1 {
		t.Errorf("%+v", got)
	}
}

func TestManyAtOnceOneWins(t *testing.T) {
	d := newTable()
	var group sync.WaitGroup
	var mu sync.Mutex
	won := 0
	for range 20 {
		group.Go(func() {
			if ok, err := store(d).Save(t.Context(), incident.Record{Key: "x"}); err == nil && ok {
				mu.Lock()
				won++
				mu.Unlock()
			}
		})
	}
	group.Wait()
	if won != 1 {
		t.Errorf("%d won", won)
	}
}

func TestAClosedRecordExpires(t *testing.T) {
	d := newTable()
	s := store(d)
	save(t, s, incident.Record{Key: "old", Closed: now().AddDate(0, -1, 0)})
	save(t, s, incident.Record{Key: "fresh", Closed: now()})
	if got := load(t, s); len(got) != 1 || got[0].Key != "fresh" {
		t.Errorf("read %+v", got)
	}
	if figure(d.items["fresh"]["expires"]) <= now().Unix() {
		t.Error("the table is not told when to forget")
	}
	// DynamoDB has not deleted it yet, and the incident is there anew.
	if !save(t, s, incident.Record{Key: "old"}) {
		t.Error("an expired item is in the way of a new incident")
	}
}

func TestABrokenItemIsReplaced(t *testing.T) {
	for name, item := range map[string]map[string]types.AttributeValue{
		"no JSON":    {"id": &types.AttributeValueMemberS{Value: "x"}, "version": &types.AttributeValueMemberN{Value: "7"}, "record": &types.AttributeValueMemberS{Value: "{"}},
		"no version": {"id": &types.AttributeValueMemberS{Value: "x"}},
	} {
		t.Run(name, func(t *testing.T) {
			d := newTable()
			d.items["x"] = item
			s := store(d)
			save(t, s, incident.Record{Key: "y"})
			if got := load(t, s); len(got) != 1 || got[0].Key != "y" {
				t.Fatalf("read %+v", got)
			}
			if got := s.Broken(); !slices.Equal(got, []string{"x"}) {
				t.Errorf("broken are %q", got)
			}
			if !save(t, s, incident.Record{Key: "x"}) {
				t.Fatal("the broken item is in the way")
			}
			if got := load(t, s); len(got) != 2 {
				t.Errorf("read %+v", got)
			}
		})
	}
}

func TestFailuresHaveAKind(t *testing.T) {
	for code, want := range map[string]observation.ObserveErrorKind{
		"AccessDeniedException": observation.Denied, "ProvisionedThroughputExceededException": observation.Throttled,
		"InternalServerError": observation.Incomplete,
	} {
		d := newTable()
		d.refuse = &smithy.GenericAPIError{Code: code, Message: http.StatusText(http.StatusTeapot)}
		_, err := store(d).Load(t.Context())
		kind, ok := err.(interface {
			ObserveErrorKind() observation.ObserveErrorKind
		})
		if !ok || kind.ObserveErrorKind() != want || !strings.Contains(err.Error(), `"incidents"`) {
			t.Errorf("%s: %v", code, err)
		}
		if _, err := store(d).Save(t.Context(), incident.Record{Key: "x"}); err == nil {
			t.Errorf("%s: written all the same", code)
		}
	}
}
