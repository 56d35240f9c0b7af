package catalogue

import "certdrift/internal/finding"

// showCerts is the command that most checks of a served chain begin with.
const showCerts = "openssl s_client -connect HOST:PORT -servername HOST -showcerts </dev/null    # with STARTTLS add -starttls PROTOCOL\n"

// showLeaf prints a served leaf; the fields to print follow.
const showLeaf = "openssl s_client -connect HOST:PORT -servername HOST </dev/null 2>/dev/null | openssl x509 -noout "

// certificate are the entries of the class "certificate as served".
func certificate() []Entry {
	return []Entry{
		{
			Code:     finding.CertExpired,
			Severity: "critical",
			Title:    "The certificate has expired",
			Meaning: "The end of the server's own certificate has passed. Every client that checks certificates refuses the " +
				"connection; a browser in which somebody once stored an exception does not show it.",
			Check: showLeaf + "-subject -dates",
			Remedy: "Renew the certificate, install it with its intermediates, reload the server, and find out why the renewal did not " +
				"happen or did not reach the server. A certificate that was renewed and is still served old wants a reload only.",
			Source: "RFC 5280 §4.1.2.5 (validity)",
		},
		{
			Code:     finding.CertNotYetValid,
			Severity: "critical",
			Title:    "The certificate, or one of its issuers, is not valid yet",
			Meaning: "The certificate was put to use before its validity begins, or the clock that issued it runs ahead. Clients with " +
				"a right clock refuse it until then. An issuer counts only where no other valid path goes round it.",
			Check: showLeaf + "-subject -dates; date -u",
			Remedy: "Serve the certificate that is valid now until the new one begins. Where the beginning looks wrong, check the clock " +
				"of the machine that issued the certificate, and the clock here.",
			Source: "RFC 5280 §4.1.2.5 (validity)",
		},
		{
			Code:     finding.CertExpiring,
			Severity: "warning at or below policy.expiry.warning (25% of the certificate's own lifetime), critical at or below policy.expiry.critical (10%)",
			Title:    "The certificate, or an issuer that ends before it, is about to expire",
			Meaning: "What is left of the certificate's own lifetime has sunk to the threshold or below: its renewal is late. A share is measured " +
				"since days fit no lifetime but one: 20 days are plenty for a 90-day certificate and late for a 398-day one. An issuer counts " +
				"only if it ends before the certificate, and is measured against the certificate's lifetime.",
			Check: showLeaf + "-subject -dates",
			Remedy: "Renew now, and look why the automatic renewal did not: an ACM certificate needs its validation records in DNS and a load " +
				"balancer that uses it; an imported one is never renewed; certbot and cert-manager say in their logs what failed.",
			Source: "RFC 5280 §4.1.2.5 (validity); CA/B Ballot SC-081v3 for the lifetimes",
		},
		{
			Code:     finding.CertNameMismatch,
			Severity: "critical",
			Title:    "The certificate is not for the name that clients ask for",
			Meaning: "None of the certificate's subject alternative names covers the host of the URL. Clients compare these names only: the " +
				"common name counts for nothing, a wildcard stands for exactly one whole first label, an IP address needs an IP name. It is " +
				"what a listener with the wrong certificate looks like, and a server that ignores SNI.",
			Check: showLeaf + "-subject -ext subjectAltName -checkhost HOST",
			Remedy: "Attach or install the certificate that covers the name, or have one issued that does. If the server has it already, it " +
				"chose another by SNI: check the name of its virtual host or the listener's certificate list.",
			Source: "RFC 9525 §6 (before it RFC 6125 §6.4); CA/B BR §7.1.2.7.12",
		},
		{
			Code:     finding.CertUntrusted,
			Severity: "critical",
			Title:    "The chain does not end in a root that clients trust",
			Meaning: "The chain leads to an issuer that is not in the trust store: a private CA, a CA that was removed, or one that Mozilla " +
				"trusts only for certificates issued before a date. Also where a signature in the chain was not made by the issuer it names, " +
				"or is of a kind that no client checks. Several faults of the way there (an expired issuer) are findings of their own.",
			Check: showCerts + "# then, against Mozilla's roots: openssl verify -CAfile mozilla.pem -untrusted chain.pem leaf.pem",
			Remedy: "Serve a certificate of a CA that the clients trust. Where it is a private CA on purpose, give its root to certdrift as " +
				"ca_files (of the endpoint, or under trust), as its clients have it too.",
			Source: "RFC 5280 §6.1; Mozilla Root Store Policy (distrust dates)",
		},
		{
			Code:     finding.CertSelfSigned,
			Severity: "critical",
			Title:    "The certificate is its own issuer",
			Meaning: "Nobody vouches for the certificate: it is signed with its own key and not in the trust store. It is mostly a server's or " +
				"an ingress controller's placeholder, served since the right certificate could not be loaded or none fits the name.",
			Check: showLeaf + "-subject -issuer -fingerprint -sha256",
			Remedy: "Serve a certificate that a CA issued. Where this very certificate is meant, name it in the endpoint's ca_files: it is then " +
				"trusted as it stands, and no other.",
			Source: "RFC 5280 §3.2 (self-signed), §6.1",
		},
		{
			Code:     finding.CertChainIncomplete,
			Severity: "critical; a warning where an issuer is there and some clients alone don't know it for one",
			Title:    "The server does not send an issuer that clients need",
			Meaning: "The chain as sent breaks off before a trusted root. Browsers often fetch or remember the missing intermediate and show " +
				"nothing; curl, OpenSSL, Go, Java, phones and scrapers refuse. A lone leaf whose issuer is unknown counts as this, too. So " +
				"does a certificate whose authority key identifier contradicts the issuer that signed it: OpenSSL and what is built on it " +
				"find no issuer then, Go and browsers do.",
			Check: showCerts + showLeaf + "-issuer -ext authorityInfoAccess    # the missing issuer, and where it is to be had",
			Remedy: "Append the missing intermediate to the certificate file, leaf first, and reload (with ACM: import it as the certificate " +
				"chain). `curl -sL AIA-URL | openssl x509 -inform der` fetches it. The root itself need not be sent.",
			Source: "RFC 8446 §4.4.2 (the sender's chain); RFC 5280 §4.2.2.1 (caIssuers), §4.2.1.1 (authority key identifier)",
		},
		{
			Code:     finding.CertChainExpired,
			Severity: "critical",
			Title:    "An issuer in the chain has expired, and no other path is valid",
			Meaning: "An intermediate, a cross-sign or the root has passed its end. Beside a valid path that is no fault, and none is " +
				"reported; here there is no other way to a trusted root, so clients refuse the connection although the certificate itself is in date.",
			Check: showCerts + "# for each certificate of the chain: openssl x509 -noout -subject -issuer -dates",
			Remedy: "Replace the expired issuer in what the server sends with the CA's current one (its address stands in the certificate's " +
				"caIssuers). If the CA has none, have the certificate issued again.",
			Source: "RFC 5280 §6.1.3 (a)(2)",
		},
		{
			Code:     finding.CertKeyWeak,
			Severity: "critical",
			Title:    "A key in the chain is too weak",
			Meaning: "RSA below 2048 bits, an elliptic curve below P-256 or one that clients don't know, or DSA. OpenSSL as Debian, Ubuntu and " +
				"Fedora ship it (security level 2) refuses such keys, browsers and Go some of them; and what can be computed from such a key " +
				"is the private key itself. An issuer's key counts where no other valid path goes round it.",
			Check: showLeaf + "-text | grep -A1 'Public Key Algorithm'",
			Remedy: "Make a new key (`openssl ecparam -genkey -name prime256v1` or RSA of 2048 bits and more), have the certificate issued for " +
				"it, and install both. An issuer's weak key is the CA's to replace: have the certificate issued by another issuer.",
			Source: "CA/B BR §6.1.5 (key sizes); NIST SP 800-57 part 1; SSL_CTX_set_security_level(3)",
		},
		{
			Code:     finding.CertSignatureWeak,
			Severity: "critical",
			Title:    "A certificate in the chain is signed with a broken algorithm",
			Meaning: "SHA-1, MD5, MD2 or DSA. A signature over SHA-1 or MD5 can be moved to a forged certificate, and clients of today refuse it: " +
				"browsers since 2017, Go since 1.18, OpenSSL at its default level. A root's signature on itself is checked by nobody and does not count.",
			Check: showCerts + "# for each certificate but the root: openssl x509 -noout -text | grep 'Signature Algorithm'",
			Remedy: "Have the certificate issued again, signed with SHA-256 or better. If it is an intermediate's signature, replace the intermediate " +
				"with the CA's current one; a private CA needs its configuration mended (default_md = sha256).",
			Source: "CA/B BR §7.1.3.2; RFC 9155; RFC 6151",
		},
		{
			Code: finding.CertUsage,
			Severity: "critical where a certificate of the chain is for other uses only; warning where the key usage lacks digitalSignature; " +
				"info where the leaf names no extended key usage at all, or a certificate of the chain any",
			Title: "The certificate is not meant for a server",
			Meaning: "The extended key usage of the leaf, or of an issuer above it, does not contain serverAuth (a client certificate or a code-signing " +
				"one was installed), or the key usage rules out TLS: clients refuse it. Without digitalSignature, browsers refuse TLS 1.3 and " +
				"every ECDHE handshake. Without any extended key usage most clients take it for every use, Apple's don't; with any " +
				"extended key usage and no serverAuth, Go and Windows take it, OpenSSL and what is built on it don't.",
			Check: showLeaf + "-purpose -ext keyUsage,extendedKeyUsage",
			Remedy: "Have the certificate issued with extendedKeyUsage = serverAuth and keyUsage = digitalSignature; where an issuer is for other " +
				"uses, by one that may issue for servers.",
			Source: "RFC 5280 §4.2.1.3, §4.2.1.12; CA/B BR §7.1.2.7.10 and §7.1.2.7.11; Apple HT210176",
		},
		{
			Code:     finding.CertConstraint,
			Severity: "critical; a warning for limits on directory names, which Go's clients alone refuse",
			Title:    "The chain breaks a constraint of one of its certificates",
			Meaning: "An issuer is no CA or may not sign certificates, has more CAs below it than its path length allows, may not issue for " +
				"these names, or demands a certificate policy that the chain does not have; or a certificate carries an extension that is marked critical and that clients don't know. They refuse the chain, " +
				"though every signature and date in it is right.",
			Check: showCerts + "# for each certificate of the chain: openssl x509 -noout -subject -ext basicConstraints,keyUsage,nameConstraints,certificatePolicies,policyConstraints",
			Remedy: "This is the CA's to mend: have the certificate issued by a CA that may issue it, under an intermediate whose constraints fit. " +
				"With a private CA, issue the intermediate anew with CA:TRUE, keyCertSign, and a path length and name constraints that leave room.",
			Source: "RFC 5280 §4.2.1.3, §4.2.1.9, §4.2.1.10, §4.2.1.11, §6.1.4",
		},
		{
			Code:     finding.CertLifetimeLong,
			Severity: "critical above 398 days, which browsers and Apple's systems refuse; else warning",
			Title:    "The certificate is valid for longer than a public CA may issue it",
			Meaning: "The CA/Browser Forum limits how long a public server certificate may last, by its day of issue: 825 days from 2018-03-01, " +
				"398 from 2020-09-01, 200 from 2026-03-15, 100 from 2027-03-15, 47 from 2029-03-15. A longer one was misissued: clients refuse it, or the CA " +
				"will have to revoke it. It is judged only for chains that end in a public root: a private CA sets its own limits.",
			Check:  showLeaf + "-dates",
			Remedy: "Have the certificate issued again, with a lifetime within the limit, and automate its renewal.",
			Source: "CA/B BR §6.3.2 as amended by Ballot SC-081v3; Apple HT211025",
		},
		{
			Code:     finding.CertRevoked,
			Severity: "critical; a warning where ACM says it of an attached certificate that no endpoint would get",
			Title:    "The CA has revoked the certificate, or one of its issuers",
			Meaning: "A stapled OCSP response, the CA's OCSP responder or its list of revoked certificates says so, with a valid signature; or " +
				"ACM says so of a certificate attached to a listener. Clients that look refuse the connection; the others go on with a key " +
				"that somebody else may have. An old answer \"revoked\" still counts: a revocation is not taken back. An answer that cannot " +
				"be had, or is not signed by whom it should be, proves nothing.",
			Check: "openssl s_client -connect HOST:PORT -servername HOST -status </dev/null | grep -A20 'OCSP response'\n" +
				showLeaf + "-serial -ext crlDistributionPoints\n" +
				"curl -s CRL-URL | openssl crl -inform der -noout -text | grep -i SERIAL\n" +
				"aws acm describe-certificate --region REGION --certificate-arn ARN --query 'Certificate.[Status,RevokedAt,RevocationReason]'",
			Remedy: "Have a new certificate issued for a new key and serve it now; find out why the old one was revoked (the reason stands in the " +
				"evidence: keyCompromise means that the key is known to others). If an intermediate is revoked, the CA has a new chain.",
			Source: "RFC 6960 §2.2, RFC 5280 §5.3.1, RFC 6066 §8",
		},
		{
			Code:     finding.CertStapleBad,
			Severity: "critical for a must-staple certificate, else warning",
			Title:    "The stapled OCSP response is no good, or is missing where the certificate demands one",
			Meaning: "The server staples an OCSP response that is out of date, not parsable, not signed by the CA, or says \"unknown\". Clients that look at it " +
				"refuse or slow down. A certificate with the TLS feature extension (must-staple) without a good staple is refused by those clients that know it.",
			Check: "openssl s_client -connect HOST:PORT -servername HOST -status </dev/null | grep -E 'OCSP|Update|Status'\n" + showLeaf + "-ext tlsfeature",
			Remedy: "Look whether the server can reach the CA's OCSP responder and refreshes its staple (nginx: ssl_stapling and resolver; Apache: " +
				"SSLUseStapling); reload it. Load balancers of AWS don't staple: don't use must-staple there. CAs are giving up OCSP: drop must-staple with the next certificate.",
			Source: "RFC 6066 §8, RFC 6960 §4.2.2.1, RFC 7633",
		},
		{
			Code:     finding.CertChainOversized,
			Severity: "warning above 100 KiB; critical where the handshake fails on it",
			Title:    "The chain is larger than clients take",
			Meaning: "The certificates that the server sends come to more than 100 KiB, where OpenSSL's clients stop reading, or to more than " +
				"256 KiB, where Go's do. It mostly means that a whole bundle of roots was appended to the certificate. The number of certificates does not matter.",
			Check:  "openssl s_client -connect HOST:PORT -servername HOST -showcerts </dev/null | grep -c BEGIN",
			Remedy: "Send the leaf and its intermediates only: two or three certificates. Remove the rest from the server's chain file.",
			Source: "RFC 8446 §4.4.2; SSL_CTX_set_max_cert_list(3)",
		},
		{
			Code:     finding.CertMalformed,
			Severity: "critical",
			Title:    "A certificate cannot be parsed",
			Meaning: "What the server sends as a certificate is not one by the rules of X.509. Strict clients (Go's among " +
				"them) end the handshake; others differ in what they put up with. Dates without seconds or with an offset are refused by OpenSSL " +
				"and what is built on it.",
			Check:  showCerts + "# then, for each: openssl asn1parse and openssl x509 -noout -text",
			Remedy: "Install the certificate again, as the CA gave it; if it came so from the CA, have it issued again.",
			Source: "RFC 5280 §4.1, §4.1.2.5; RFC 8446 §4.4.2",
		},
	}
}
