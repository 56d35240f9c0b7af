package event

import (
	"strings"

	"certdrift/internal/observation"
)

// identity is CloudTrail's userIdentity element.
type identity struct {
	Type           string                  `json:"type"`
	ARN            string                  `json:"arn"`
	UserName       lenient[string]         `json:"userName"`
	InvokedBy      lenient[string]         `json:"invokedBy"`
	SessionContext lenient[sessionContext] `json:"sessionContext"`
}

type sessionContext struct {
	SessionIssuer lenient[sessionIssuer] `json:"sessionIssuer"`
}

type sessionIssuer struct {
	UserName string `json:"userName"`
}

// author returns who made the call, by the names that people use.
func (r *record) author() *observation.Author {
	who := r.UserIdentity.Value
	a := &observation.Author{
		Principal: cleanARN(who.ARN), UserAgent: text(r.UserAgent.Value), SourceIP: text(r.SourceIPAddress.Value),
		Tool: tool(r.UserAgent.Value, who.InvokedBy.Value, fromConsole(r.SessionCredentialFromConsole.Value)),
	}
	_, session, assumed := strings.Cut(a.Principal, ":assumed-role/")
	if assumed {
		_, a.Session, _ = strings.Cut(session, "/")
		session, _, _ = strings.Cut(session, "/")
	}
	switch {
	case who.SessionContext.Value.SessionIssuer.Value.UserName != "":
		a.Name = text(who.SessionContext.Value.SessionIssuer.Value.UserName)
	case who.UserName.Value != "":
		a.Name = text(who.UserName.Value)
	case assumed:
		a.Name = session
	case who.Type == "Root":
		a.Name = "root"
	case who.InvokedBy.Value != "":
		a.Name = text(who.InvokedBy.Value)
	default:
		a.Name = a.Principal[strings.LastIndexAny(a.Principal, "/:")+1:]
	}
	return a
}

// agents are tools with a part of their user agent in lower case; the first match counts. Terraform comes before the SDK, whose
// name its user agent contains too.
var agents = []struct{ part, tool string }{
	{"elbv2.k8s.aws", "AWS Load Balancer Controller"},
	{"aws-load-balancer-controller", "AWS Load Balancer Controller"},
	{"kubernetes/", "Kubernetes cloud provider"},
	{"kube-controller-manager", "Kubernetes cloud provider"},
	{"aws-cloud-controller-manager", "Kubernetes cloud provider"},
	{"opentofu", "OpenTofu"},
	{"terraform", "Terraform"},
	{"pulumi", "Pulumi"},
	{"ansible", "Ansible"},
	{"cloudformation.amazonaws.com", "CloudFormation"},
	{"elasticbeanstalk.amazonaws.com", "Elastic Beanstalk"},
	{"console.amazonaws.com", "AWS console"},
	{"console.ec2.amazonaws.com", "AWS console"},
	{"signin.amazonaws.com", "AWS console"},
	{"aws-cli/", "AWS CLI"},
}

// tool returns what the caller used. The console is identified by CloudTrail's mark or by a browser's user agent; a tool with
// credentials from the console (CloudShell) is still that tool.
func tool(agent, invokedBy string, console bool) string {
	lower := strings.ToLower(agent + " " + invokedBy)
	for _, known := range agents {
		if strings.Contains(lower, known.part) {
			return known.tool
		}
	}
	if console || strings.Contains(lower, "mozilla/") {
		return "AWS console"
	}
	if invokedBy != "" {
		return text(invokedBy)
	}
	agent = strings.TrimLeft(agent, "[ ")
	if end := strings.IndexAny(agent, " /,;]"); end > 0 {
		agent = agent[:end]
	}
	return text(agent)
}

// fromConsole reads sessionCredentialFromConsole, which CloudTrail writes as the text "true".
func fromConsole(mark any) bool {
	return mark == true || mark == "true"
}
