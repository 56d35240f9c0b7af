package observation

import "strings"

// WithoutCredentials reports whether the error is about certdrift's credentials: there are none that work, or AWS rejects those that it
// got. No permission that somebody adds to a policy would change that.
func (e ObserveError) WithoutCredentials() bool {
	return e.Operation == Credentials || CredentialsRejected(e.Detail)
}

// CredentialsRejected reports whether an error's text (CODE or CODE: MESSAGE) says that AWS does not accept the credentials: they have
// expired, are wrong, or are of an account that has not enabled the region.
// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html#CommonErrors
func CredentialsRejected(text string) bool {
	code, _, _ := strings.Cut(text, ":")
	switch code {
	case "ExpiredToken", "ExpiredTokenException", "RequestExpired", "InvalidClientTokenId", "UnrecognizedClientException", "AuthFailure",
		"InvalidAccessKeyId", "InvalidToken", "SignatureDoesNotMatch", "InvalidSignatureException", "IncompleteSignature",
		"MissingAuthenticationToken", "MissingAuthenticationTokenException":
		return true
	}
	return false
}
