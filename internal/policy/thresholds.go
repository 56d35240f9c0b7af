// Package policy holds what an operator decides: when a certificate is too close to its end, how far revocation is checked, when
// an incident opens, is repeated and recovers, and which alerts are silenced when. It is pure; package config fills it.
package policy

import (
	"time"

	"certdrift/internal/finding"
)

// Thresholds are what the operator decides about verdicts.
type Thresholds struct {
	// ExpiryWarning and ExpiryCritical are how much of a certificate's lifetime may remain before cert-expiring is reported.
	ExpiryWarning  Threshold      `json:"expiry_warning"`
	ExpiryCritical Threshold      `json:"expiry_critical"`
	Revocation     RevocationMode `json:"revocation"`
	// RootRemoval is how long before Mozilla stops trusting a root cert-root-removal is reported.
	RootRemoval time.Duration `json:"root_removal_ns"`
	// Settle is how long served may differ from attached after a change that an event reported.
	Settle time.Duration `json:"settle_ns"`
}

// DefaultThresholds returns the thresholds for a configuration that sets none.
func DefaultThresholds() Thresholds {
	return Thresholds{
		ExpiryWarning: Threshold{Share: 0.25}, ExpiryCritical: Threshold{Share: 0.10},
		Revocation: RevocationStaple, RootRemoval: 180 * 24 * time.Hour, Settle: 2 * time.Minute,
	}
}

// Threshold is a part of a certificate's life: a share of it (0 to 1), or a fixed duration where Duration is not zero.
type Threshold struct {
	Share    float64       `json:"share,omitempty"`
	Duration time.Duration `json:"duration_ns,omitempty"`
}

// Of returns the threshold for a certificate that is valid for lifetime.
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

// Expiry is how severe it is that left remains of a certificate's lifetime.
func (t Thresholds) Expiry(left, lifetime time.Duration) finding.Severity {
	switch {
	case left <= t.ExpiryCritical.Of(lifetime):
		return finding.Critical
	case left <= t.ExpiryWarning.Of(lifetime):
		return finding.Warning
	}
	return finding.None
}
