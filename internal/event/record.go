package event

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"certdrift/internal/arn"
	"certdrift/internal/observation"
)

// Call is a CloudTrail record of one API call.
type Call struct {
	Change observation.Change
	// Source is the record's eventSource.
	Source string
	// Relevant reports whether such a call can change what a listener serves.
	Relevant bool
	// Failed is the error code of a failed call, which changed nothing.
	Failed string
}

// record is the part of a CloudTrail record that is read. encoding/json ignores the case of keys, which helps here: CloudTrail
// writes "sSLCertificateId" for the API's "SSLCertificateId".
type record struct {
	EventID                      string              `json:"eventID"`
	EventTime                    lenientTime         `json:"eventTime"`
	EventSource                  string              `json:"eventSource"`
	EventName                    string              `json:"eventName"`
	APIVersion                   lenient[string]     `json:"apiVersion"`
	AWSRegion                    string              `json:"awsRegion"`
	RecipientAccountID           string              `json:"recipientAccountId"`
	SourceIPAddress              lenient[string]     `json:"sourceIPAddress"`
	UserAgent                    lenient[string]     `json:"userAgent"`
	ErrorCode                    lenient[string]     `json:"errorCode"`
	SessionCredentialFromConsole lenient[any]        `json:"sessionCredentialFromConsole"`
	UserIdentity                 lenient[identity]   `json:"userIdentity"`
	RequestParameters            lenient[parameters] `json:"requestParameters"`
	ResponseElements             lenient[parameters] `json:"responseElements"`
}

// parameters are the parameters of all relevant calls, classic and v2, ACM and IAM. Each call uses a few of them.
type parameters struct {
	LoadBalancerName  lenient[string]    `json:"loadBalancerName"`
	LoadBalancerARN   lenient[string]    `json:"loadBalancerArn"`
	LoadBalancerPort  lenient[int]       `json:"loadBalancerPort"`
	LoadBalancerPorts list[int]          `json:"loadBalancerPorts"`
	SSLCertificateID  lenient[string]    `json:"sSLCertificateId"`
	Name              lenient[string]    `json:"name"`
	ListenerARN       lenient[string]    `json:"listenerArn"`
	RuleARN           lenient[string]    `json:"ruleArn"`
	RulePriorities    list[rule]         `json:"rulePriorities"`
	Port              lenient[int]       `json:"port"`
	Listeners         list[listener]     `json:"listeners"`
	Certificates      list[certificate]  `json:"certificates"`
	LoadBalancers     list[loadBalancer] `json:"loadBalancers"`
	CertificateARN    lenient[string]    `json:"certificateArn"`
	// IAM's.
	ServerCertificateName     lenient[string]   `json:"serverCertificateName"`
	Path                      lenient[string]   `json:"path"`
	NewServerCertificateName  lenient[string]   `json:"newServerCertificateName"`
	NewPath                   lenient[string]   `json:"newPath"`
	ServerCertificateMetadata lenient[metadata] `json:"serverCertificateMetadata"`
}

type listener struct {
	LoadBalancerPort lenient[int]      `json:"loadBalancerPort"`
	SSLCertificateID lenient[string]   `json:"sSLCertificateId"`
	ListenerARN      lenient[string]   `json:"listenerArn"`
	LoadBalancerARN  lenient[string]   `json:"loadBalancerArn"`
	Port             lenient[int]      `json:"port"`
	Certificates     list[certificate] `json:"certificates"`
}

type certificate struct {
	ARN lenient[string] `json:"certificateArn"`
}

type rule struct {
	ARN lenient[string] `json:"ruleArn"`
}

type loadBalancer struct {
	ARN lenient[string] `json:"loadBalancerArn"`
}

type metadata struct {
	ARN lenient[string] `json:"arn"`
}

// The event sources, and the API version of classic load balancers: both ELB APIs share one event source (AWS: Logging API calls
// using CloudTrail).
const (
	balancerSource = "elasticloadbalancing.amazonaws.com"
	acmSource      = "acm.amazonaws.com"
	iamSource      = "iam.amazonaws.com"
	classicVersion = "2012-06-01"
)

// Names returns the calls of an event source that can change what a listener serves.
func Names(source string) []string {
	switch source {
	case balancerSource:
		return []string{
			"AddListenerCertificates", "CreateListener", "CreateLoadBalancer", "CreateLoadBalancerListeners", "CreateRule",
			"DeleteListener", "DeleteLoadBalancer", "DeleteLoadBalancerListeners", "DeleteRule", "ModifyListener", "ModifyRule",
			"RemoveListenerCertificates", "SetLoadBalancerListenerSSLCertificate", "SetLoadBalancerPoliciesOfListener", "SetRulePriorities",
		}
	case acmSource:
		return []string{"DeleteCertificate", "ImportCertificate"}
	case iamSource:
		return []string{"DeleteServerCertificate", "UpdateServerCertificate", "UploadServerCertificate"}
	}
	return nil
}

// Record decodes one CloudTrail record: the detail of an EventBridge event, or the CloudTrailEvent of a looked-up one.
func Record(data []byte) (Call, error) {
	if len(data) > Limit {
		return Call{}, fmt.Errorf("decoding a CloudTrail record: %d bytes are too many", len(data))
	}
	var r record
	if err := json.Unmarshal(data, &r); err != nil {
		return Call{}, fmt.Errorf("decoding a CloudTrail record: %w", err)
	}
	c := Call{Source: word(r.EventSource), Failed: word(r.ErrorCode.Value)}
	if r.ErrorCode.Value != "" && c.Failed == "" {
		c.Failed = "unknown"
	}
	c.Relevant = slices.Contains(Names(c.Source), r.EventName)
	c.Change = observation.Change{
		EventID: word(r.EventID), Event: word(r.EventName), At: r.EventTime.Time,
		Region: region(r.AWSRegion), Account: account(r.RecipientAccountID), Author: r.author(),
	}
	switch c.Source {
	case balancerSource:
		r.balancer(&c.Change)
	case acmSource:
		r.addCertificates(&c.Change, r.RequestParameters.Value.CertificateARN.Value, r.ResponseElements.Value.CertificateARN.Value)
	case iamSource:
		r.server(&c.Change)
	}
	return c, nil
}

// balancer reads which load balancer, listener and certificates a call names. The response may have what the request does not:
// ModifyListener names only the listener.
func (r *record) balancer(c *observation.Change) {
	asked, answered := r.RequestParameters.Value, r.ResponseElements.Value
	c.LoadBalancer = balancerName(asked.LoadBalancerARN.Value, asked.LoadBalancerName.Value)
	c.Listener = asked.listener()
	c.Port = port(asked.LoadBalancerPort.Value, asked.Port.Value, first(asked.LoadBalancerPorts.Items))
	r.addCertificates(c, asked.SSLCertificateID.Value)
	r.addCertificates(c, arnsOf(asked.Certificates.Items)...)
	for _, l := range slices.Concat(asked.Listeners.Items, answered.Listeners.Items) {
		if c.LoadBalancer == "" {
			c.LoadBalancer = cleanARN(l.LoadBalancerARN.Value)
		}
		if c.Listener == "" {
			c.Listener = cleanARN(l.ListenerARN.Value)
		}
		// Of several listeners, one with a certificate is reported.
		if c.Port == 0 || len(c.Certificates) == 0 {
			if p := port(l.LoadBalancerPort.Value, l.Port.Value); p != 0 {
				c.Port = p
			}
		}
		if len(asked.Certificates.Items) == 0 {
			r.addCertificates(c, l.SSLCertificateID.Value)
			r.addCertificates(c, arnsOf(l.Certificates.Items)...)
		}
	}
	if c.LoadBalancer == "" && len(answered.LoadBalancers.Items) > 0 {
		c.LoadBalancer = cleanARN(answered.LoadBalancers.Items[0].ARN.Value)
	}
	if c.LoadBalancer == "" && r.APIVersion.Value != classicVersion {
		c.LoadBalancer = word(asked.Name.Value)
	}
	if c.LoadBalancer == "" {
		c.LoadBalancer = arn.LoadBalancerOf(c.Listener)
	}
}

// listener returns the ARN of the listener that a request names directly or by a rule; the rules of one request all belong to
// one listener (AWS: SetRulePriorities).
func (p *parameters) listener() string {
	if a := cleanARN(p.ListenerARN.Value); a != "" {
		return a
	}
	if a := cleanARN(p.RuleARN.Value); a != "" || len(p.RulePriorities.Items) == 0 {
		return arn.ListenerOf(a)
	}
	return arn.ListenerOf(cleanARN(p.RulePriorities.Items[0].ARN.Value))
}

// server reads an IAM call. A request names the certificate without its path, so that the ARN made from it is right only for a
// certificate at the root (observation.Change.Names handles this). The new ARN is complete if the request has a path.
func (r *record) server(c *observation.Change) {
	if made := r.ResponseElements.Value.ServerCertificateMetadata.Value.ARN.Value; made != "" {
		r.addCertificates(c, made)
		return
	}
	asked := r.RequestParameters.Value
	name := word(asked.ServerCertificateName.Value)
	if name == "" || c.Account == "" {
		return
	}
	r.addCertificates(c, serverARN(c, asked.Path.Value, name))
	if word(asked.NewPath.Value) != "" {
		c.Renamed = serverARN(c, asked.NewPath.Value, cmp.Or(word(asked.NewServerCertificateName.Value), name))
	}
}

// serverARN returns the ARN of a server certificate in the event's account and partition.
func serverARN(c *observation.Change, path, name string) string {
	path = strings.ReplaceAll("/"+strings.Trim(word(path), "/")+"/", "//", "/")
	return "arn:" + arn.Partition(c.Region) + ":iam::" + c.Account + ":server-certificate" + path + name
}

func (r *record) addCertificates(c *observation.Change, arns ...string) {
	for _, a := range arns {
		if certificateARN(a) && !slices.Contains(c.Certificates, a) && len(c.Certificates) < maxItems {
			c.Certificates = append(c.Certificates, a)
		}
	}
}

// balancerName returns the ARN, or else the name: letters, digits and hyphens, at most 32.
func balancerName(loadBalancerARN, name string) string {
	if a := cleanARN(loadBalancerARN); a != "" {
		return a
	}
	if len(name) > 64 {
		return ""
	}
	return word(name)
}

func arnsOf(certs []certificate) []string {
	var out []string
	for _, c := range certs {
		out = append(out, c.ARN.Value)
	}
	return out
}

// port returns the first valid port.
func port(candidates ...int) int {
	for _, p := range candidates {
		if p > 0 && p < 1<<16 {
			return p
		}
	}
	return 0
}

func first(ports []int) int {
	if len(ports) == 0 {
		return 0
	}
	return ports[0]
}

// sourceOf returns the EventBridge source of a CloudTrail event source: aws.elasticloadbalancing for
// elasticloadbalancing.amazonaws.com.
func sourceOf(eventSource string) string {
	return "aws." + strings.TrimSuffix(eventSource, ".amazonaws.com")
}
