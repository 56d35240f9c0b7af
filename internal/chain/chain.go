// Package chain builds certification paths (RFC 5280 §6) from what a server sent to a trust store, and says for each
// path what is wrong with it. It is pure: trust store and time are arguments.
package chain

import (
	"crypto/x509"
	"time"
)

// Store is a trust store, indexed for path building.
type Store struct{}

// Result is what a chain leads to.
type Result struct{}

// Build walks from served[0] towards the store.
func Build(_ *Store, _ []*x509.Certificate, _ time.Time) *Result { return &Result{} }
