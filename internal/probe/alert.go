package probe

import (
	"errors"
	"fmt"
	"net"
	"reflect"
)

// receivedAlert returns the name of the TLS alert that the peer sent; empty if err is not an alert. crypto/tls reports one as
// a *net.OpError with Op "remote error" around an unexported number; its text does not use the standard's names.
func receivedAlert(err error) string {
	var op *net.OpError
	if !errors.As(err, &op) || op.Op != "remote error" {
		return ""
	}
	v := reflect.ValueOf(op.Err)
	if v.Kind() != reflect.Uint8 {
		return op.Err.Error()
	}
	return alertName(uint8(v.Uint())) //nolint:gosec // the kind is Uint8
}

// alertName returns the name from RFC 8446 §6, RFC 5246 §7.2 and the IANA registry of TLS alerts.
func alertName(n uint8) string {
	names := [...]string{
		0: "close_notify", 10: "unexpected_message", 20: "bad_record_mac", 21: "decryption_failed",
		22: "record_overflow", 30: "decompression_failure", 40: "handshake_failure", 41: "no_certificate",
		42: "bad_certificate", 43: "unsupported_certificate", 44: "certificate_revoked", 45: "certificate_expired",
		46: "certificate_unknown", 47: "illegal_parameter", 48: "unknown_ca", 49: "access_denied", 50: "decode_error",
		51: "decrypt_error", 60: "export_restriction", 70: "protocol_version", 71: "insufficient_security",
		80: "internal_error", 86: "inappropriate_fallback", 90: "user_canceled", 100: "no_renegotiation",
		109: "missing_extension", 110: "unsupported_extension", 111: "certificate_unobtainable",
		112: "unrecognized_name", 113: "bad_certificate_status_response", 114: "bad_certificate_hash_value",
		115: "unknown_psk_identity", 116: "certificate_required", 120: "no_application_protocol", 121: "ech_required",
	}
	if int(n) < len(names) && names[n] != "" {
		return names[n]
	}
	return fmt.Sprintf("alert_%d", n)
}

// refusesClient reports whether an alert is one that servers send to a client without a certificate, or with a wrong one.
func refusesClient(alert string) bool {
	switch alert {
	case "handshake_failure", "no_certificate", "bad_certificate", "unsupported_certificate", "certificate_revoked",
		"certificate_expired", "certificate_unknown", "unknown_ca", "access_denied", "certificate_required":
		return true
	}
	return false
}
