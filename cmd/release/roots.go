package main

import (
	"bytes"
	"encoding/pem"
	"fmt"

	"golang.org/x/crypto/x509roots/fallback/bundle"
)

// roots are Mozilla's roots as a file of PEM blocks, for a container image without others. Roots that Mozilla trusts only for certificates
// issued before some day are left out: a file cannot say so.
func roots() ([]byte, error) {
	var out bytes.Buffer
	for root := range bundle.Roots() {
		if root.Constraint != nil {
			continue
		}
		if err := pem.Encode(&out, &pem.Block{Type: "CERTIFICATE", Bytes: root.Certificate}); err != nil {
			return nil, fmt.Errorf("encoding a root: %w", err)
		}
	}
	return out.Bytes(), nil
}
