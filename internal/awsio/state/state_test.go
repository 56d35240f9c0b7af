package state_test

import (
	"context"
	"encoding/json"
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
	ok, err := s.SaveIncident(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	return ok
}

func load(t *testing.T, s *state.Store) []incident.Record {
	t.Helper()
	loaded, err := s.Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return loaded.Incidents
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
			if ok, err := store(d).SaveIncident(t.Context(), incident.Record{Key: "x"}); err == nil && ok {
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
		"no JSON":        {"id": &types.AttributeValueMemberS{Value: "x"}, "version": &types.AttributeValueMemberN{Value: "7"}, "record": &types.AttributeValueMemberS{Value: "{"}},
		"the version 0":  {"id": &types.AttributeValueMemberS{Value: "x"}, "version": &types.AttributeValueMemberN{Value: "0"}, "record": &types.AttributeValueMemberS{Value: "{}"}},
		"a last version": {"id": &types.AttributeValueMemberS{Value: "x"}, "version": &types.AttributeValueMemberN{Value: "9223372036854775807"}, "record": &types.AttributeValueMemberS{Value: "{}"}},
		"no version":     {"id": &types.AttributeValueMemberS{Value: "x"}},
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
		if _, err := store(d).SaveIncident(t.Context(), incident.Record{Key: "x"}); err == nil {
			t.Errorf("%s: written all the same", code)
		}
	}
}

// TestCountersAndIncidentsAreApart: a counter comes back as one, with its own versions and expiry, and no incident does.
func TestCountersAndIncidentsAreApart(t *testing.T) {
	d := newTable()
	s := store(d)
	save(t, s, incident.Record{Key: "a"})
	c := incident.Counter{Key: "- counter:sms", Period: now().Truncate(time.Hour), Used: 3}
	for _, want := range []bool{true, false} {
		if ok, err := s.SaveCounter(t.Context(), c); ok != want || err != nil {
			t.Errorf("written %v, %v, want %v", ok, err, want)
		}
	}
	if ok, err := s.SaveCounter(t.Context(), incident.Counter{Key: "- daily:probe", Period: now().AddDate(0, 0, -2), Used: 1}); !ok || err != nil {
		t.Fatal(ok, err)
	}
	got, err := s.Load(t.Context())
	c.Version = 1
	if err != nil || len(got.Incidents) != 1 || !slices.Equal(got.Counters, []incident.Counter{c}) {
		t.Errorf("read %+v, %v", got, err)
	}
	if figure(d.items["- counter:sms"]["expires"]) != c.Period.Add(24*time.Hour).Unix() {
		t.Error("the table is not told when to forget the counter")
	}
}

// TestItemsOfOtherVersions: a function reads what the version before it wrote, and the other way round, as while a deployment
// replaces the functions one by one.
func TestItemsOfOtherVersions(t *testing.T) {
	d := newTable()
	put := func(key, record string) {
		d.items[key] = map[string]types.AttributeValue{
			"id": &types.AttributeValueMemberS{Value: key}, "version": &types.AttributeValueMemberN{Value: "4"}, "record": &types.AttributeValueMemberS{Value: record},
		}
	}
	put("- counter:sms", `{"key":"- counter:sms","version":4,"cause":"","severity":"","code":"","parts":null,"counter":{"hour":"2026-11-23T12:00:00Z","used":7}}`)
	put("production x", `{"key":"production x","version":4,"environment":"production","cause":"x","first":"2026-11-20T00:00:00Z","reminders":2,"to_come":[1,2]}`)
	s := store(d)
	got, err := s.Load(t.Context())
	want := []incident.Counter{{Key: "- counter:sms", Version: 4, Period: now(), Used: 7}}
	if err != nil || len(s.Broken()) > 0 || !slices.EqualFunc(got.Counters, want, func(a, b incident.Counter) bool {
		return a.Period.Equal(b.Period) && a.Used == b.Used && a.Version == b.Version
	}) {
		t.Fatalf("read the counters %+v, %v, broken %q", got.Counters, err, s.Broken())
	}
	if len(got.Incidents) != 1 || got.Incidents[0].Reminders != 2 || got.Incidents[0].Version != 4 {
		t.Fatalf("read the incidents %+v", got.Incidents)
	}
	got.Counters[0].Used++
	if ok, err := s.SaveCounter(t.Context(), got.Counters[0]); !ok || err != nil {
		t.Fatal(ok, err)
	}
	// What the version before counters had a type of their own reads.
	var older struct {
		Key     string    `json:"key"`
		Version int64     `json:"version"`
		Opened  time.Time `json:"opened"`
		Counter *struct {
			Hour time.Time `json:"hour"`
			Used int       `json:"used"`
		} `json:"counter"`
	}
	if err := json.Unmarshal([]byte(text(d.items["- counter:sms"]["record"])), &older); err != nil {
		t.Fatal(err)
	}
	if c := older.Counter; older.Key != "- counter:sms" || older.Version != 5 || !older.Opened.IsZero() || c == nil || c.Used != 8 || !c.Hour.Equal(now()) {
		t.Errorf("an older version reads %+v of %s", older, text(d.items["- counter:sms"]["record"]))
	}
}
