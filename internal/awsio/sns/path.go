package sns

import (
	"context"
	"slices"

	"certdrift/internal/arn"
	"certdrift/internal/observation"
)

// Place is a topic of the alert path.
type Place struct {
	ARN  string
	Chat bool
	// Expected are the protocols of the subscriptions that were deployed; nil where that is not known.
	Expected []string
}

// Path reads the topics that alerts go to. It is made once per process.
type Path struct {
	places  []Place
	clients []subscriptionAPI // one for each place
}

// NewPath makes a Path. client gives SNS's client for a region; it is asked for the region that a topic's ARN names.
func NewPath[C subscriptionAPI](client func(region string) C, places ...Place) *Path {
	p := &Path{places: places}
	for _, place := range places {
		p.clients = append(p.clients, client(RegionOf(place.ARN)))
	}
	return p
}

// Observe reads every topic. What could not be read is an ObserveError.
func (p *Path) Observe(ctx context.Context) (topics []observation.Topic, observeErrors []observation.ObserveError) {
	for i, place := range p.places {
		topic, met := read(ctx, p.clients[i], place.ARN)
		topic.Chat, topic.Expected = place.Chat, slices.Clone(place.Expected)
		topics = append(topics, topic)
		observeErrors = append(observeErrors, met...)
	}
	return topics, observeErrors
}

// RegionOf is the region in a topic's ARN; empty where it is no ARN of a topic.
func RegionOf(topic string) string {
	a, ok := arn.Split(topic)
	if !ok || a.Service != "sns" || a.Resource == "" {
		return ""
	}
	return a.Region
}
