package account

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"
	"github.com/aws/smithy-go"
)

const (
	balancerSource = "elasticloadbalancing.amazonaws.com"
	acmSource      = "acm.amazonaws.com"
	iamSource      = "iam.amazonaws.com"
	classicVersion = "2012-06-01"
	modernVersion  = "2015-12-01"
)

// Actor is who a change is made by.
type Actor struct {
	// Role and Session name an assumed role; User an IAM user, where Role is empty.
	Role, Session, User string
	UserAgent, SourceIP string
	// Console marks credentials that the AWS console handed out.
	Console bool
}

// Operator is a person in the AWS console.
func Operator() Actor {
	return Actor{Role: "Operator", Session: "operator", SourceIP: "198.51.100.23", Console: true,
		UserAgent: "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/64.0.3282.140 Safari/537.36"}
}

// Kubernetes is the cloud provider in a cluster's control plane.
func Kubernetes() Actor {
	return Actor{Role: "masters.cluster.example.org", Session: "i-0abc123def4567890", SourceIP: "203.0.113.9",
		UserAgent: "kubernetes/v1.8.7 aws-sdk-go/1.10.49 (go1.8.3; linux; amd64)"}
}

// call is a mutating call on its way into the trail.
type call struct {
	source, version, name string
	request, response     map[string]any
	err                   error
}

type record struct {
	id, name, source, user string
	region                 string
	at                     time.Time
	event                  []byte // as EventBridge delivers it
	detail                 []byte // the CloudTrail record in it
}

// record writes a call into the trail and tells who listens.
func (a *Account) record(c call) {
	a.mu.Lock()
	r := a.entry(c)
	a.records = append(a.records, r)
	listeners := slices.Clone(a.onEvent)
	a.mu.Unlock()
	for _, tell := range listeners {
		tell(slices.Clone(r.event))
	}
}

// entry makes the record. The lock is held.
func (a *Account) entry(c call) record {
	now := a.options.Now().UTC()
	n := a.next()
	identity, user := a.identity()
	region := a.options.Region
	if c.source == iamSource {
		region = globalRegion
	}
	detail := map[string]any{
		"eventVersion": "1.11", "userIdentity": identity, "eventTime": now.Format(time.RFC3339),
		"eventSource": c.source, "eventName": c.name, "awsRegion": region,
		"sourceIPAddress": a.actor.SourceIP, "userAgent": a.actor.UserAgent,
		"requestParameters": c.request, "responseElements": c.response,
		"requestID": fmt.Sprintf("3f1c9a10-0000-4000-8000-%012d", n), "eventID": fmt.Sprintf("9c2d7b40-0000-4000-8000-%012d", n),
		"readOnly": false, "eventType": "AwsApiCall", "managementEvent": true, "recipientAccountId": a.options.ID, "eventCategory": "Management",
	}
	if c.version != "" {
		detail["apiVersion"] = c.version
	}
	if a.actor.Console {
		detail["sessionCredentialFromConsole"] = "true"
	}
	if c.err != nil {
		detail["errorCode"], detail["errorMessage"] = codeOf(c.err), c.err.Error()
		detail["requestParameters"] = nil
	}
	source := map[string]string{balancerSource: "aws.elasticloadbalancing", acmSource: "aws.acm", iamSource: "aws.iam"}[c.source]
	event := map[string]any{
		"version": "0", "id": fmt.Sprintf("6a7e8feb-0000-4000-8000-%012d", n), "detail-type": "AWS API Call via CloudTrail",
		"source": source, "account": a.options.ID, "time": now.Format(time.RFC3339), "region": region,
		"resources": []string{}, "detail": detail,
	}
	r := record{id: detail["eventID"].(string), name: c.name, source: c.source, user: user, region: region, at: now}
	r.event, _ = json.Marshal(event) // maps of plain values
	r.detail, _ = json.Marshal(detail)
	return r
}

func (a *Account) identity() (element map[string]any, user string) {
	if a.actor.Role == "" {
		return map[string]any{
			"type": "IAMUser", "arn": "arn:aws:iam::" + a.options.ID + ":user/" + a.actor.User, "accountId": a.options.ID, "userName": a.actor.User,
		}, a.actor.User
	}
	return map[string]any{
		"type": "AssumedRole", "arn": "arn:aws:sts::" + a.options.ID + ":assumed-role/" + a.actor.Role + "/" + a.actor.Session,
		"accountId": a.options.ID,
		"sessionContext": map[string]any{"sessionIssuer": map[string]any{
			"type": "Role", "arn": "arn:aws:iam::" + a.options.ID + ":role/" + a.actor.Role, "userName": a.actor.Role,
		}},
	}, a.actor.Session
}

func codeOf(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorCode()
	}
	return "InternalError"
}

// Events are all changes so far as EventBridge would deliver them, oldest first.
func (w *world) Events() [][]byte {
	w.mu.Lock()
	defer w.mu.Unlock()
	var out [][]byte
	for _, r := range w.records {
		out = append(out, slices.Clone(r.event))
	}
	return out
}

// OnEvent has every later change told to a function, as an EventBridge rule would.
func (w *world) OnEvent(tell func(event []byte)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.onEvent = append(w.onEvent, tell)
}

// globalRegion is where CloudTrail keeps the calls to services without a region, IAM among them.
const globalRegion = "us-east-1"

// CloudTrail is the trail's API in one region.
type CloudTrail struct {
	account *Account
	region  string
}

// CloudTrail gives the client for the account's region.
func (a *Account) CloudTrail() *CloudTrail { return &CloudTrail{a, a.options.Region} }

// CloudTrailIn gives the client for a region; other accounts' stand-ins for regions have trails of their own.
func (a *Account) CloudTrailIn(region string) *CloudTrail { return &CloudTrail{a, region} }

// LookupEvents gives recorded calls, newest first, 50 a page.
func (c *CloudTrail) LookupEvents(ctx context.Context, in *cloudtrail.LookupEventsInput, _ ...func(*cloudtrail.Options)) (*cloudtrail.LookupEventsOutput, error) {
	w := c.account.world
	if err := w.enter(ctx, "cloudtrail:LookupEvents", in); err != nil {
		return nil, err
	}
	if len(in.LookupAttributes) > 1 {
		return nil, apiError(http.StatusBadRequest, "InvalidLookupAttributesException", "You can use only one lookup attribute at a time.")
	}
	some, next, err := page(w, "cloudtrail:LookupEvents", w.lookup(c.region, in), in.NextToken, in.MaxResults, 50)
	if err != nil {
		return nil, err
	}
	out := &cloudtrail.LookupEventsOutput{NextToken: next}
	for _, r := range some {
		out.Events = append(out.Events, types.Event{
			EventId: aws.String(r.id), EventName: aws.String(r.name), EventSource: aws.String(r.source), EventTime: aws.Time(r.at),
			Username: aws.String(r.user), ReadOnly: aws.String("false"), CloudTrailEvent: aws.String(string(r.detail)),
		})
	}
	return out, nil
}

func (w *world) lookup(region string, in *cloudtrail.LookupEventsInput) []record {
	w.mu.Lock()
	defer w.mu.Unlock()
	var found []record
	for _, r := range slices.Backward(w.records) {
		if r.region != region || in.StartTime != nil && r.at.Before(in.StartTime.Truncate(time.Second)) || in.EndTime != nil && r.at.After(*in.EndTime) {
			continue
		}
		fits := true
		for _, a := range in.LookupAttributes {
			have := map[types.LookupAttributeKey]string{
				types.LookupAttributeKeyEventName: r.name, types.LookupAttributeKeyEventSource: r.source,
				types.LookupAttributeKeyEventId: r.id, types.LookupAttributeKeyUsername: r.user,
			}[a.AttributeKey]
			fits = have == aws.ToString(a.AttributeValue)
		}
		if fits {
			found = append(found, r)
		}
	}
	return found
}
