package judge

import "time"

// Policy is what the operator decides.
type Policy struct {
	// ExpiryWarning and ExpiryCritical are how much of a certificate's life may be left before cert-expiring.
	ExpiryWarning  Threshold      `json:"expiry_warning"`
	ExpiryCritical Threshold      `json:"expiry_critical"`
	Revocation     RevocationMode `json:"revocation"`
	// Settle is how long served may differ from attached after a change that an event told of.
	Settle time.Duration `json:"settle_ns"`
}

// DefaultPolicy is what holds where the configuration says nothing.
func DefaultPolicy() Policy {
	return Policy{
		ExpiryWarning: Threshold{Share: 0.25}, ExpiryCritical: Threshold{Share: 0.10},
		Revocation: RevocationStaple, Settle: 2 * time.Minute,
	}
}

// Threshold is a part of a certificate's life: a share of it (0 to 1), or a fixed duration where Duration is not zero.
type Threshold struct {
	Share    float64       `json:"share,omitempty"`
	Duration time.Duration `json:"duration_ns,omitempty"`
}

// Of gives the threshold for a certificate that is valid for lifetime.
func (t Threshold) Of(lifetime time.Duration) time.Duration {
	if t.Duration != 0 {
		return t.Duration
	}
	return time.Duration(t.Share * float64(lifetime))
}

// RevocationMode is how far revocation is looked into.
type RevocationMode string

// The modes: the stapled OCSP response only; CRL and OCSP too; not at all.
const (
	RevocationStaple RevocationMode = "staple"
	RevocationFull   RevocationMode = "full"
	RevocationOff    RevocationMode = "off"
)
