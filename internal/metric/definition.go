package metric

// The names of the metrics, which alarms and dashboards refer to; Definitions describes each.
const (
	EndpointsUp       = "EndpointsUp"
	EndpointsDown     = "EndpointsDown"
	EndpointsUnseen   = "EndpointsUnseen"
	Findings          = "Findings"
	LifetimeLeft      = "LifetimeLeft"
	DaysLeft          = "DaysLeft"
	ExpiryThreshold   = "ExpiryThreshold"
	ProbeDuration     = "ProbeDuration"
	IncidentsOpen     = "IncidentsOpen"
	IncidentsSilenced = "IncidentsSilenced"
	Heartbeat         = "Heartbeat"
	ObserveErrors     = "Troubles"
	EndpointsDue      = "EndpointsDue"
	EndpointsChecked  = "EndpointsChecked"
	EventsIgnored     = "EventsIgnored"
	SchedulingDelay   = "SchedulingDelay"
	EndpointUp        = "EndpointUp"
	EndpointDuration  = "EndpointDuration"
	EndpointLifetime  = "EndpointLifetimeLeft"
	EndpointDaysLeft  = "EndpointDaysLeft"
	CertificateDays   = "CertificateDaysLeft"
)

// The names of the dimensions.
const (
	Environment = "Environment"
	Endpoint    = "Endpoint"
	Severity    = "Severity"
	Function    = "Function"
	Certificate = "Certificate"
	PartOf      = "Of"
)

// What an expiry threshold is a part of: a share of a certificate's lifetime, in per cent, or days.
const (
	OfLifetime = "lifetime"
	OfDays     = "days"
)

// NoEnvironment is the dimension's value for what belongs to no environment: certdrift's own problems.
const NoEnvironment = "none"

// Definition describes a metric. The table in docs/metrics.md has one row for each.
type Definition struct {
	Name       string
	Dimensions []string
	Unit       Unit
	// Series is how many there are per environment, function, endpoint, certificate or stack, depending on Dimensions.
	Series  int
	Meaning string
}

// Definitions returns every metric that certdrift writes. An alarm on any other name never gets data.
func Definitions() []Definition {
	return []Definition{
		{EndpointsUp, []string{Environment}, Count, 1, "probed endpoints without a critical finding"},
		{EndpointsDown, []string{Environment}, Count, 1, "endpoints with a critical finding"},
		{EndpointsUnseen, []string{Environment}, Count, 1, "endpoints that the round did not probe"},
		{Findings, []string{Environment, Severity}, Count, 3, "findings by severity: critical, warning, info"},
		{LifetimeLeft, []string{Environment}, Percent, 1, "the smallest remaining share of the lifetime of any served certificate; negative once it has expired"},
		{DaysLeft, []string{Environment}, NoUnit, 1, "days until the first of the served certificates expires; negative once one has expired"},
		{ExpiryThreshold, []string{Severity, PartOf}, NoUnit, 2, "when `policy.expiry` reports a certificate, as warning and as critical: in per cent of its lifetime (`Of` is `lifetime`) or in days (`days`), whichever the policy has"},
		{ProbeDuration, []string{Environment}, Milliseconds, 1, "time for each address from DNS to the last byte; a distribution, so that percentiles work"},
		{IncidentsOpen, []string{Environment, Severity}, Count, 2, "open incidents by severity (critical, warning), including silenced ones"},
		{IncidentsSilenced, []string{Environment}, Count, 1, "open incidents that are silenced"},
		{Heartbeat, []string{Function}, Count, 1, "1 for each completed round; an alarm fires if there is none"},
		{ObserveErrors, []string{Function}, Count, 1, "what the round could not observe: denied, throttled, incomplete"},
		{EndpointsDue, []string{Function}, Count, 1, "endpoints that the round was to probe"},
		{EndpointsChecked, []string{Function}, Count, 1, "endpoints that it probed; an alarm fires if probe stays below those that were due"},
		{SchedulingDelay, []string{Function}, Milliseconds, 1, "how long the last endpoint of the round waited for its turn"},
		{EventsIgnored, []string{Function}, Count, 1, "events that started no round: failed calls; accounts, regions and ARNs that the configuration does not name; certificates that no listener uses; input that is not an event. Written only when there is one"},
		{EndpointUp, []string{Environment, Endpoint}, Count, 1, "1 if the endpoint has no critical finding, else 0"},
		{EndpointDuration, []string{Environment, Endpoint}, Milliseconds, 1, "time for each of its addresses"},
		{EndpointLifetime, []string{Environment, Endpoint}, Percent, 1, "the remaining share of the lifetime of its certificate"},
		{EndpointDaysLeft, []string{Environment, Endpoint}, NoUnit, 1, "days until its certificate expires, negative once it has expired; written once a day, since a metric is billed for the hours in which it is written"},
		{CertificateDays, []string{Environment, Certificate}, NoUnit, 1, "days until a certificate of this name (served, attached or declared) expires, negative once it has expired; written once a day by inspect"},
	}
}

// PerEndpoint reports whether the metric is one endpoint's: written only if configured.
func (d Definition) PerEndpoint() bool { return d.by(Endpoint) }

// PerCertificate reports whether the metric is one certificate's: written only if configured.
func (d Definition) PerCertificate() bool { return d.by(Certificate) }

// PerStack reports whether there is the same of the metric however many environments and functions there are.
func (d Definition) PerStack() bool { return d.by(PartOf) }

func (d Definition) by(dimension string) bool {
	return len(d.Dimensions) == 2 && d.Dimensions[1] == dimension
}

// OnceADay reports whether the metric is written once a day, so that it is billed for one hour of each day.
func (d Definition) OnceADay() bool { return d.Name == EndpointDaysLeft || d.Name == CertificateDays }
