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
			Meaning: "The server's own certificate has expired. Every client that validates certificates rejects the connection; a browser " +
				"with a stored exception does not show the problem.",
			Check: showLeaf + "-subject -dates",
			Remedy: "Renew the certificate, install it with its intermediates, reload the server, and find out why the renewal failed or " +
				"did not reach the server. If the certificate has been renewed but the server still serves the old one, reloading is " +
				"enough.",
			Source: "RFC 5280 §4.1.2.5 (validity)",
		},
		{
			Code:     finding.CertNotYetValid,
			Severity: "critical",
			Title:    "The certificate, or one of its issuers, is not valid yet",
			Meaning: "The certificate was deployed before its validity period starts, or the clock of the machine that issued it is ahead. " +
				"Clients with a correct clock reject it until then. An issuer that is not valid yet counts only if there is no other " +
				"valid path.",
			Check: showLeaf + "-subject -dates; date -u",
			Remedy: "Serve the currently valid certificate until the new one becomes valid. If the start date looks wrong, check the clock " +
				"of the machine that issued the certificate, and the clock here.",
			Source: "RFC 5280 §4.1.2.5 (validity)",
		},
		{
			Code:     finding.CertExpiring,
			Severity: "warning at or below policy.expiry.warning (25% of the certificate's own lifetime), critical at or below policy.expiry.critical (10%)",
			Title:    "The certificate, or an issuer that expires before it, is about to expire",
			Meaning: "The remaining share of the certificate's own lifetime is at or below the threshold: its renewal is late. certdrift " +
				"uses a share because no number of days fits every lifetime: 20 days are plenty for a 90-day certificate and late for a " +
				"398-day one. An issuer counts only if it expires before the certificate, and is measured against the certificate's " +
				"lifetime.",
			Check: showLeaf + "-subject -dates",
			Remedy: "Renew now, and find out why the automatic renewal failed: an ACM certificate needs its validation records in DNS and a " +
				"load balancer that uses it; an imported one is never renewed; for certbot and cert-manager, check the logs.",
			Source: "RFC 5280 §4.1.2.5 (validity); CA/B Ballot SC-081v3 for the lifetimes",
		},
		{
			Code:     finding.CertNameMismatch,
			Severity: "critical",
			Title:    "The certificate doesn't match the hostname",
			Meaning: "None of the certificate's subject alternative names matches the host of the URL. Clients compare these names only: " +
				"they ignore the common name, a wildcard matches exactly one whole leftmost label, and an IP address requires an IP " +
				"address entry. Typical causes are a listener with the wrong certificate and a server that ignores SNI.",
			Check: showLeaf + "-subject -ext subjectAltName -checkhost HOST",
			Remedy: "Attach or install a certificate that covers the hostname, or have one issued. If the server already has it, SNI " +
				"selected a different one: check the name of the virtual host or the listener's certificate list.",
			Source: "RFC 9525 §6 (before it RFC 6125 §6.4); CA/B BR §7.1.2.7.12",
		},
		{
			Code:     finding.CertUntrusted,
			Severity: "critical; a warning where only the first of several certificates of an issuer leads to no trusted root, or where some clients' stores lack the root",
			Title:    "The chain does not end in a root that clients trust",
			Meaning: "The chain leads to an issuer that is not in the trust store: a private CA, a CA that was removed, or a CA that Mozilla " +
				"trusts only for certificates issued before a certain date. This code also covers a signature in the chain that was not " +
				"made by the named issuer, or that uses an algorithm no client supports. Other problems on the path (such as an expired " +
				"issuer) have their own codes. If the server sends several certificates of one issuer (cross-signs) and the first leads to no " +
				"trusted root, OpenSSL, curl, Python, Node and GnuTLS stop there. Clients have different trust stores: a public root that " +
				"some of them lack, because it is new to them or they dropped it, is a warning with their names (docs/clients.md).",
			Check: showCerts + "# then, against Mozilla's roots: openssl verify -CAfile mozilla.pem -untrusted chain.pem leaf.pem",
			Remedy: "Serve a certificate from a CA that clients trust. If a private CA is intended, add its root to certdrift's ca_files " +
				"(of the endpoint, or under trust), as its clients have it too.",
			Source: "RFC 5280 §6.1; Mozilla Root Store Policy (distrust dates)",
		},
		{
			Code:     finding.CertSelfSigned,
			Severity: "critical",
			Title:    "The certificate is self-signed",
			Meaning: "No CA vouches for the certificate: it is signed with its own key and not in the trust store. It is usually the " +
				"placeholder of a server or an ingress controller, served because the right certificate could not be loaded or none " +
				"matches the hostname.",
			Check: showLeaf + "-subject -issuer -fingerprint -sha256",
			Remedy: "Serve a certificate issued by a CA. If this certificate is intended, add it to the endpoint's ca_files: certdrift then " +
				"trusts exactly this certificate.",
			Source: "RFC 5280 §3.2 (self-signed), §6.1",
		},
		{
			Code:     finding.CertChainIncomplete,
			Severity: "critical; a warning where the issuer is present but some clients don't recognize it",
			Title:    "The server does not send an issuer that clients need",
			Meaning: "The served chain stops before a trusted root. Browsers often download or cache the missing intermediate and hide the " +
				"problem; curl, OpenSSL, Go, Java, phones and scrapers reject the chain. A lone leaf whose issuer is unknown counts as " +
				"well. So does a certificate whose authority key identifier contradicts the issuer that signed it: OpenSSL and clients " +
				"based on it then find no issuer, while Go and browsers do.",
			Check: showCerts + showLeaf + "-issuer -ext authorityInfoAccess    # the missing issuer, and where to download it",
			Remedy: "Append the missing intermediate to the certificate file, leaf first, and reload (with ACM: import it as the " +
				"certificate chain). `curl -sL AIA-URL | openssl x509 -inform der` downloads it. The root itself need not be sent: if the issuer is " +
				"the root of a private CA, add it to certdrift's ca_files (of the endpoint, or under trust), as its clients have it too.",
			Source: "RFC 8446 §4.4.2 (the sender's chain); RFC 5280 §4.2.2.1 (caIssuers), §4.2.1.1 (authority key identifier)",
		},
		{
			Code:     finding.CertChainExpired,
			Severity: "critical; a warning where a valid certificate of the same issuer is sent behind the expired one",
			Title:    "An issuer in the chain has expired, and no other path is valid",
			Meaning: "An intermediate, a cross-signed certificate or the root has expired. If another path is valid, this is not a problem " +
				"and is not reported; here no other path leads to a trusted root, so clients reject the connection although the leaf " +
				"itself is still valid. If the server sends an expired certificate of an issuer before the valid one of the same name " +
				"and key, GnuTLS stops at the expired one; other clients find the valid one.",
			Check: showCerts + "# for each certificate of the chain: openssl x509 -noout -subject -issuer -dates",
			Remedy: "Replace the expired issuer in the served chain with the CA's current one (the certificate's caIssuers field has its " +
				"URL). If the CA has none, have the certificate reissued.",
			Source: "RFC 5280 §6.1.3 (a)(2)",
		},
		{
			Code:     finding.CertKeyWeak,
			Severity: "critical; a warning for Ed25519, for P-521 in the leaf and for RSA above 8192 bits, which some clients don't support",
			Title:    "A key in the chain is too weak",
			Meaning: "An RSA key below 2048 bits, an elliptic curve below P-256 or one that clients don't support, or a DSA key. OpenSSL as " +
				"shipped by Debian, Ubuntu and Fedora (security level 2) rejects such keys, browsers and Go reject some of them, and " +
				"the private key itself can be computed from a weak key. An issuer's key counts only if there is no other valid path. " +
				"Strong keys that some clients can't use: P-521 in the leaf (Chromium), Ed25519 in the leaf or an issuer (Chromium, Firefox), " +
				"RSA above 8192 bits in any certificate that the server sends (Go) or that signed another (rustls).",
			Check: showLeaf + "-text | grep -A1 'Public Key Algorithm'",
			Remedy: "Generate a new key (`openssl ecparam -genkey -name prime256v1`, or RSA with at least 2048 bits), have the certificate " +
				"issued for it, and install both. Only the CA can replace an issuer's weak key: have the certificate issued by another " +
				"issuer.",
			Source: "CA/B BR §6.1.5 (key sizes); NIST SP 800-57 part 1; SSL_CTX_set_security_level(3)",
		},
		{
			Code:     finding.CertSignatureWeak,
			Severity: "critical",
			Title:    "A certificate in the chain is signed with a broken algorithm",
			Meaning: "The signature uses SHA-1, MD5, MD2 or DSA. A SHA-1 or MD5 signature can be transferred to a forged certificate, and " +
				"current clients reject it: browsers since 2017, Go since 1.18, OpenSSL at its default security level. No client checks " +
				"a root's signature on itself, so it does not count.",
			Check: showCerts + "# for each certificate but the root: openssl x509 -noout -text | grep 'Signature Algorithm'",
			Remedy: "Have the certificate reissued, signed with SHA-256 or better. If the weak signature is on an intermediate, replace the " +
				"intermediate with the CA's current one; for a private CA, fix its configuration (default_md = sha256).",
			Source: "CA/B BR §7.1.3.2; RFC 9155; RFC 6151",
		},
		{
			Code: finding.CertUsage,
			Severity: "critical where a certificate in the chain is for other uses only, or has anyExtendedKeyUsage without serverAuth; warning " +
				"where the key usage lacks digitalSignature; info where the leaf has no extended key usage at all",
			Title: "The certificate is not meant for server authentication",
			Meaning: "The extended key usage of the leaf, or of an issuer above it, does not contain serverAuth (a client or code-signing " +
				"certificate was installed), or the key usage rules out TLS: clients reject it. Without digitalSignature, browsers " +
				"refuse TLS 1.3 and every ECDHE handshake. Without any extended key usage, most clients accept the certificate for " +
				"every use, Apple's don't. With anyExtendedKeyUsage and without serverAuth, Go and Windows accept it; OpenSSL, " +
				"curl, Python, Node, rustls and Firefox (NSS) don't.",
			Check: showLeaf + "-purpose -ext keyUsage,extendedKeyUsage",
			Remedy: "Have the certificate issued with extendedKeyUsage = serverAuth and keyUsage = digitalSignature. If an issuer is " +
				"limited to other uses, have the certificate issued by one that may issue server certificates.",
			Source: "RFC 5280 §4.2.1.3, §4.2.1.12; CA/B BR §7.1.2.7.10 and §7.1.2.7.11; Apple HT210176",
		},
		{
			Code:     finding.CertConstraint,
			Severity: "critical; a warning for constraints on directory names, which only Go's clients reject, and for a CA's certificate as the server's own",
			Title:    "The chain violates a constraint of one of its certificates",
			Meaning: "An issuer is not a CA or may not sign certificates, has more CAs below it than its path length allows, may not issue " +
				"for these names, or requires a certificate policy that the chain does not have; or a certificate has a critical " +
				"extension that clients don't support. Clients reject the chain, although every signature and date in it is correct. " +
				"A leaf that is itself a CA (basicConstraints CA:TRUE) is rejected by rustls and Firefox (NSS) only.",
			Check: showCerts + "# for each certificate of the chain: openssl x509 -noout -subject -ext basicConstraints,keyUsage,nameConstraints,certificatePolicies,policyConstraints",
			Remedy: "Only the CA can fix this: have the certificate issued by a CA that is allowed to, under an intermediate whose " +
				"constraints fit. For a private CA, reissue the intermediate with CA:TRUE, keyCertSign, and a sufficient path length " +
				"and name constraints that permit the names.",
			Source: "RFC 5280 §4.2.1.3, §4.2.1.9, §4.2.1.10, §4.2.1.11, §6.1.4",
		},
		{
			Code:     finding.CertLifetimeLong,
			Severity: "critical above 398 days, which browsers and Apple's systems reject; else warning",
			Title:    "The certificate is valid for longer than a public CA may issue it",
			Meaning: "The CA/Browser Forum limits the lifetime of public server certificates by date of issue: 825 days from 2018-03-01, 398 " +
				"from 2020-09-01, 200 from 2026-03-15, 100 from 2027-03-15, 47 from 2029-03-15. A longer-lived certificate was " +
				"misissued: clients reject it, or the CA will have to revoke it. This is checked only for chains that end in a public " +
				"root: a private CA sets its own limits.",
			Check:  showLeaf + "-dates",
			Remedy: "Have the certificate reissued with a lifetime within the limit, and automate its renewal.",
			Source: "CA/B BR §6.3.2 as amended by Ballot SC-081v3; Apple HT211025",
		},
		{
			Code:     finding.CertRevoked,
			Severity: "critical; a warning where ACM reports it for an attached certificate that no endpoint would get",
			Title:    "The CA has revoked the certificate, or one of its issuers",
			Meaning: "A stapled OCSP response, the CA's OCSP responder or its certificate revocation list reports the revocation, with a " +
				"valid signature; or ACM reports it for a certificate attached to a listener. Clients that check revocation reject the " +
				"connection; all others keep using a key that may be compromised. An outdated \"revoked\" response still counts, because " +
				"a revocation is permanent. A response that is missing, or not signed by the right party, proves nothing.",
			Check: "openssl s_client -connect HOST:PORT -servername HOST -status </dev/null | grep -A20 'OCSP response'\n" +
				showLeaf + "-serial -ext crlDistributionPoints\n" +
				"curl -s CRL-URL | openssl crl -inform der -noout -text | grep -i SERIAL\n" +
				"aws acm describe-certificate --region REGION --certificate-arn ARN --query 'Certificate.[Status,RevokedAt,RevocationReason]'",
			Remedy: "Have a new certificate issued for a new key and serve it now; find out why the old one was revoked (the evidence " +
				"contains the reason: keyCompromise means that others have the key). If an intermediate was revoked, get a new chain " +
				"from the CA.",
			Source: "RFC 6960 §2.2, RFC 5280 §5.3.1, RFC 6066 §8",
		},
		{
			Code:     finding.CertStapleBad,
			Severity: "critical for a must-staple certificate, else warning",
			Title:    "The stapled OCSP response is invalid, or is missing although the certificate requires one",
			Meaning: "The server staples an OCSP response that is out of date, not parsable, not signed by the CA, or has the status " +
				"\"unknown\". Clients that check it reject the connection or slow down. A certificate with the TLS feature extension " +
				"(must-staple) and without a valid staple is rejected by clients that support the extension.",
			Check: "openssl s_client -connect HOST:PORT -servername HOST -status </dev/null | grep -E 'OCSP|Update|Status'\n" + showLeaf + "-ext tlsfeature",
			Remedy: "Check whether the server can reach the CA's OCSP responder and refreshes its staple (nginx: ssl_stapling and resolver; " +
				"Apache: SSLUseStapling); reload it. AWS load balancers don't staple: don't use must-staple there. CAs are phasing out " +
				"OCSP: drop must-staple with the next certificate.",
			Source: "RFC 6066 §8, RFC 6960 §4.2.2.1, RFC 7633",
		},
		{
			Code:     finding.CertChainOversized,
			Severity: "warning above 10 certificates, 32 KiB or 6 intermediates; critical above 100 KiB, or where the handshake fails because of it",
			Title:    "The chain is larger than clients accept",
			Meaning: "The server sends more certificates, or more bytes of them, than a current client accepts. Measured limits: Java 10 " +
				"certificates and 32 KiB; rustls 64 KiB; OpenSSL (curl, Python, Node) and Chromium 100 KiB; GnuTLS 16 certificates and " +
				"128 KiB; Firefox (NSS) 128 KiB, and 64 KiB for the leaf; Go 256 KiB. rustls and Firefox accept a path through 6 intermediates at most. Mbed TLS, on small devices, accepts 16 KiB as it comes, which is no finding. The " +
				"evidence names the clients that refuse. This usually means that a whole bundle of roots was appended to the certificate.",
			Check:  "openssl s_client -connect HOST:PORT -servername HOST -showcerts </dev/null | grep -c BEGIN",
			Remedy: "Send only the leaf and its intermediates: two or three certificates. Remove the rest from the server's chain file.",
			Source: "RFC 8446 §4.4.2; SSL_CTX_set_max_cert_list(3); Java's jdk.tls.maxCertificateChainLength and jdk.tls.maxHandshakeMessageSize",
		},
		{
			Code:     finding.CertMalformed,
			Severity: "critical; a warning for a negative serial number, which only Go's clients reject, and for what only Python 3.13 and later reject",
			Title:    "A certificate cannot be parsed",
			Meaning: "A certificate that the server sends does not conform to X.509. Strict clients (Go's among them) abort the handshake; " +
				"others differ in what they tolerate. OpenSSL and clients based on it reject dates without seconds or with an offset, Go's " +
				"clients a negative serial number. Python 3.13 and later verify in OpenSSL's strict mode, which wants of the chain, the root " +
				"included, what RFC 5280 wants: an authority key identifier in all but the root, a subject key identifier and a key usage in a " +
				"CA, critical basic constraints, keyCertSign in a CA alone, and names that are not empty (Java minds those, too).",
			Check:  showCerts + "# then, for each: openssl asn1parse and openssl x509 -noout -text\n# as Python 3.13: openssl verify -x509_strict -partial_chain -CAfile roots.pem -untrusted chain.pem leaf.pem",
			Remedy: "Install the certificate again, exactly as the CA issued it. If the CA issued it like this, have it reissued.",
			Source: "RFC 5280 §4.1, §4.1.2.2, §4.1.2.5, §4.2; X509_VERIFY_PARAM_set_flags(3) (X509_V_FLAG_X509_STRICT); Python 3.13, ssl.create_default_context; RFC 8446 §4.4.2",
		},
		{
			Code: finding.CertRootRemoval,
			Severity: "warning from policy.root_removal (180 days) before Mozilla stops trusting the root; info where the certificate ends " +
				"before that",
			Title: "Mozilla stops trusting the chain's root soon",
			Meaning: "Mozilla removes a root when its key is 15 years old, older ones by a schedule: keys of 2008 and 2009 on 2027-04-15, of 2010 " +
				"and 2011 on 2028-04-15, of 2012 until April 2014 on 2029-04-15. From that day Firefox, and in time everything that takes " +
				"Mozilla's list (Linux distributions, Node, Python's certifi, Go's and rustls' embedded roots) refuse the chain; Chromium " +
				"removes such roots at about the same time. Some roots it stops trusting for certificates issued after a date: then the next " +
				"renewal fails. The date of the key is taken from the root's own validity. A chain with another path, to a root that stays, " +
				"is not reported.",
			Check: showCerts + "# for the last issuer: openssl x509 -noout -issuer    # then the root's notBefore, in the trust store, and the schedule",
			Remedy: "Ask the CA which root replaces this one, and have the certificate issued under that: often with another chain file or " +
				"profile. With clients that do not have the new root yet, send its cross-sign too.",
			Source: "Mozilla Root Store Policy §7.4; wiki.mozilla.org/CA/Root_CA_Lifecycles (read on 2026-11-30)",
		},
	}
}
