package e2e

import (
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/acm"

	"certdrift/internal/sim/pki"
)

// stubs replace the runbook's tools that need more than this machine has (a resolver, a cluster, raw sockets), so that the command
// lines around them run.
var stubs = map[string]string{
	"dig":        `echo 127.0.0.1`,
	"nc":         `exit 0`,
	"traceroute": `exit 0`,
	"kubectl":    `echo '{}'`,
}

// watched are the tools that really run; a wrapper records failures.
var watched = []string{"aws", "openssl"}

// confused matches messages of tools that do not understand their command line.
var confused = regexp.MustCompile(`(?i)usage:|unknown option|unrecognized|unrecognised|invalid choice|command not found|syntax error|bad value for --query|` +
	`error parsing parameter|parameter validation failed|extra (option|argument)|no such file|traceback|unknown command|unexpected (end|token)`)

// TestTheRunbookRuns runs every command in the runbook as if an operator pasted it: openssl and curl against a server on loopback,
// the AWS CLI against the emulated account, and certdrift itself.
func TestTheRunbookRuns(t *testing.T) {
	enabled(t)
	t.Parallel()
	text, err := os.ReadFile(filepath.Join(root, "docs", "runbook.md"))
	check(t, err)
	desk := openDesk(t)
	commands := shown(t, string(text))
	if len(commands) < 80 {
		t.Fatalf("only %d commands found in the runbook", len(commands))
	}
	lacked := map[string]bool{}
	for _, command := range commands {
		line := desk.fill(command)
		stdout, stderr, status := desk.paste(t, line)
		excused := false
		for _, failed := range desk.failures(t) {
			if operation := lacking(failed); operation != "" {
				lacked[operation], excused = true, true
				stderr = crashed.ReplaceAllString(stderr, "") // the crash of another command is reported separately
				continue
			}
			t.Errorf("%s\n  as     %s\n  failed %s", command, line, failed)
		}
		if said := confused.FindString(stderr); said != "" {
			t.Errorf("%s\n  as     %s\n  ends with %d and says %q:\n%s", command, line, status, said, tail([]byte(stderr), 600))
		}
		if strings.TrimSpace(stdout) == "" && !silent(command) && !excused {
			t.Errorf("%s\n  as     %s\n  shows nothing (status %d): %s", command, line, status, tail([]byte(stderr), 600))
		}
	}
	for _, operation := range lacks() {
		if !lacked[operation] {
			t.Errorf("%s no longer fails in the emulator: take it out of lacks", operation)
		}
	}
}

// lacks lists operations that the emulator does not have, and crashes on or has no page for: the CLI understood its command line and sent the request.
func lacks() []string {
	return []string{
		"aws iam simulate-principal-policy", "aws sns get-sms-sandbox-account-status", "aws sns create-sms-sandbox-phone-number",
		"aws cloudformation detect-stack-drift", "aws lambda get-account-settings",
	}
}

// crashed matches what the CLI prints about the emulator's error page.
var crashed = regexp.MustCompile(`(?s)Unable to parse response.*?500 Internal Server Error.*?</p>`)

// lacking returns the operation that the emulator lacks if a tool failed because of that; empty for any other failure.
func lacking(failed string) string {
	i := slices.IndexFunc(lacks(), func(operation string) bool { return strings.HasPrefix(failed, operation+" ") })
	if i < 0 || !strings.Contains(failed, "500 Internal Server Error") && !strings.Contains(failed, "404 Not Found") {
		return ""
	}
	return lacks()[i]
}

// TestOnlyWhatTheEmulatorLacksIsExcused checks that only the named operations are excused.
func TestOnlyWhatTheEmulatorLacksIsExcused(t *testing.T) {
	const page = "<title>500 Internal Server Error</title>"
	for failed, want := range map[string]string{
		"aws iam simulate-principal-policy --policy-source-arn R (255): " + page:                "aws iam simulate-principal-policy",
		"aws sns get-sms-sandbox-account-status (255): " + page:                                 "aws sns get-sms-sandbox-account-status",
		"aws sns get-sms-attributes (255): " + page:                                             "",
		"aws iam simulate-principal-policy --policy-source-arn R (252): aws: error: usage: aws": "",
	} {
		if got := lacking(failed); got != want {
			t.Errorf("%s: excused for %q, want %q", failed, got, want)
		}
	}
}

// silent reports whether a command prints nothing on success.
func silent(command string) bool {
	for _, quiet := range []string{
		"set-load-balancer-listener-ssl-certificate", "purge-queue", "enable-rule", "enable-alarm-actions", "set-subscription-attributes", "set-sms-attributes", "get-function-concurrency", "nc -vz", "incidents ack",
	} {
		if strings.Contains(command, quiet) {
			return true
		}
	}
	return false
}

// spoken matches complete commands in the runbook's prose.
var spoken = regexp.MustCompile("`((?:aws|openssl|curl) [^`…]*-[^`…]*)`")

// shown returns the commands in the runbook's blocks and prose, each once, without comments.
func shown(t *testing.T, text string) []string {
	t.Helper()
	var out []string
	for _, block := range regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllStringSubmatch(text, -1) {
		pending := ""
		for line := range strings.Lines(block[1]) {
			pending += strings.TrimLeft(line, " ")
			if strings.TrimSpace(pending) == "" || strings.HasPrefix(pending, "#") {
				pending = ""
				continue
			}
			if strings.HasSuffix(pending, "\\\n") || exec.CommandContext(t.Context(), "bash", "-n", "-c", pending).Run() != nil {
				continue // the next line goes on
			}
			if command := strings.TrimSpace(pending); !slices.Contains(out, command) {
				out = append(out, command)
			}
			pending = ""
		}
		if pending != "" {
			t.Errorf("no shell understands %q", pending)
		}
	}
	for _, m := range spoken.FindAllStringSubmatch(text, -1) {
		if !slices.Contains(out, m[1]) && !strings.HasSuffix(m[1], "listener-certificates") {
			out = append(out, m[1])
		}
	}
	return out
}

// desk is an operator's terminal with a value for each placeholder in the runbook.
type desk struct {
	*terminal
	values *strings.Replacer
	log    string
}

func openDesk(t *testing.T) *desk {
	t.Helper()
	f := startFront(t, startMoto(t))
	cfg := asTester(f.url)
	w := makeWorld(t, cfg)
	w.theFour(t)
	d := &desk{terminal: openTerminal(t, w, f.url)}
	d.wrap(t)
	port, web := serveTarget(t, w)
	check(t, os.CopyFS(filepath.Join(d.dir, "k8s"), os.DirFS(filepath.Join(root, "internal", "manifest", "testdata", "incident", "right"))))
	pair := w.pairs[w.right["production"]]
	leaf, chain, key := halves(t, pair)
	for name, data := range map[string][]byte{"leaf.pem": leaf, "chain.pem": chain, "key.pem": key, "mozilla.pem": w.caPEM()} {
		check(t, os.WriteFile(filepath.Join(d.dir, name), data, 0o600))
	}
	d.env = append(d.env, "CURL_CA_BUNDLE="+filepath.Join(d.dir, "ca.pem"), "SSL_CERT_FILE="+filepath.Join(d.dir, "ca.pem"))
	made := d.account(t, w)
	imported := w.importACM(t, acm.NewFromConfig(cfg), pair)
	d.values = strings.NewReplacer(
		"--listener-arn ARN", "--listener-arn "+made["listener"], "LISTENER-ARN", made["listener"],
		"--load-balancer-arn ARN", "--load-balancer-arn "+made["balancer"], "--target-group-arn ARN", "--target-group-arn "+made["group"],
		"--server-certificate-name NAME", "--server-certificate-name web-monitoring-2017", "--names NAME", "--names web",
		"--topic ARN", "--topic "+made["topic"], "--topic-arn ARN", "--topic-arn "+made["topic"], "TOPIC-ARN", made["topic"], "SUBSCRIPTION-ARN", made["subscription"], "QUEUE-URL", made["queue"], "DECLARED-ARN", imported, "=ARN", "="+imported, " ARN", " "+imported,
		"--policy-source-arn ROLE", "--policy-source-arn "+made["role"], "--action-names ACTION", "--action-names s3:GetObject",
		"names NAME", "names "+w.balanced[3].balancer, "name NAME", "name "+w.balanced[3].balancer,
		"--load-balancer-port PORT", "--load-balancer-port 443", "HOST:443", "localhost:"+port, "https://HOST/PATH", "https://localhost:"+port+"/",
		"https://HOST", "https://localhost:"+port, "http://HOST/", web, "HOST", "localhost", "ADDRESS", "127.0.0.1", "PORT", port,
		"AIA-URL", web+"ca", "CRL-URL", web+"crl", " URL", " "+web+"moved", "REGION", region, "STACK", "certdrift",
		"ENVIRONMENT", "production", "NAMESPACE", "production", "POLICY", "ELBSecurityPolicy-2016-08", "OPERATION", "ModifyListener",
		"CNAME-NAME", "x.example.org", "MANIFEST", "k8s/", "--wait 5m", "--wait 15s", "NAME", "api",
	)
	return d
}

// fill replaces a command's placeholders with values.
func (d *desk) fill(command string) string { return d.values.Replace(command) }

// wrap puts wrappers of the watched tools and the stubs first in the path.
func (d *desk) wrap(t *testing.T) {
	t.Helper()
	bin := t.TempDir()
	d.log = filepath.Join(bin, "failed.log")
	for _, tool := range watched {
		path, err := exec.LookPath(tool)
		if tool == "aws" {
			// The CLI uses AWS_ENDPOINT_URL for most services but not for SQS.
			path, err = filepath.Join(filepath.Dir(python(t)), "aws")+` --endpoint-url "$AWS_ENDPOINT_URL"`, nil
		}
		check(t, err)
		script := fmt.Sprintf("#!/bin/sh\n%s \"$@\" 2>%s.err\nstatus=$?\ncat %s.err >&2\n[ $status -eq 0 ] || printf '%%s\\n' \"%s $* ($status): $(tail -c 300 %s.err | tr '\\n' ' ')\" >>%s\nexit $status\n",
			path, d.log, d.log, tool, d.log, d.log)
		check(t, os.WriteFile(filepath.Join(bin, tool), []byte(script), 0o700))
	}
	for tool, answer := range stubs {
		check(t, os.WriteFile(filepath.Join(bin, tool), []byte("#!/bin/sh\n"+answer+"\n"), 0o700))
	}
	for i, v := range d.env {
		if rest, ok := strings.CutPrefix(v, "PATH="); ok {
			d.env[i] = "PATH=" + bin + ":" + rest
		}
	}
	// Anything that would leave this machine is sent to a proxy that does not exist.
	d.env = append(d.env, "AWS_PAGER=", "AWS_MAX_ATTEMPTS=1", "HTTP_PROXY=http://127.0.0.1:1", "HTTPS_PROXY=http://127.0.0.1:1",
		"http_proxy=http://127.0.0.1:1", "https_proxy=http://127.0.0.1:1", "NO_PROXY=localhost,127.0.0.1", "no_proxy=localhost,127.0.0.1")
}

// paste runs a command line.
func (d *desk) paste(t *testing.T, line string) (stdout, stderr string, status int) {
	t.Helper()
	var out, errs strings.Builder
	cmd := exec.CommandContext(t.Context(), "bash", "-c", line)
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = d.dir, d.env, &out, &errs
	_ = cmd.Run() // the status is what counts
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}

// failures returns the failures of the watched tools since the last call.
func (d *desk) failures(t *testing.T) []string {
	t.Helper()
	data, err := os.ReadFile(d.log)
	if os.IsNotExist(err) {
		return nil
	}
	check(t, err)
	check(t, os.Remove(d.log))
	return strings.Split(strings.TrimSpace(string(data)), "\n")
}

// account creates the resources that the commands refer to, and returns the names that AWS chose.
func (d *desk) account(t *testing.T, w *world) map[string]string {
	t.Helper()
	made := map[string]string{}
	for _, step := range [][2]string{
		{"subnets", "aws ec2 describe-subnets --query 'join(`\" \"`, Subnets[:2].SubnetId)' --output text"},
		{"balancer", "aws elbv2 create-load-balancer --name web --subnets $subnets --query LoadBalancers[0].LoadBalancerArn --output text"},
		{"vpc", "aws ec2 describe-vpcs --query Vpcs[0].VpcId --output text"},
		{"group", "aws elbv2 create-target-group --name web --protocol HTTP --port 80 --vpc-id $vpc --query TargetGroups[0].TargetGroupArn --output text"},
		{"listener", "aws elbv2 create-listener --load-balancer-arn $balancer --protocol HTTPS --port 443 --ssl-policy ELBSecurityPolicy-2016-08 --certificates CertificateArn=" + w.right["production"] +
			" --default-actions Type=forward,TargetGroupArn=$group --query Listeners[0].ListenerArn --output text"},
		{"topic", "aws sns create-topic --name certdrift-alerts --query TopicArn --output text"},
		{"queue", "aws sqs create-queue --queue-name certdrift-failed-invocations --query QueueUrl --output text"},
		{"", "aws sqs send-message --queue-url $queue --message-body hello"},
		{"role", "aws iam create-role --role-name certdrift-probe --assume-role-policy-document '{\"Version\":\"2012-10-17\",\"Statement\":[]}' --query Role.Arn --output text"},
		{"subscription", "aws sns subscribe --topic-arn $topic --protocol sqs --notification-endpoint arn:aws:sqs:us-west-2:111122223333:certdrift-failed-invocations --query SubscriptionArn --output text"},
		{"key", "aws kms create-key --query KeyMetadata.KeyId --output text"},
		{"", "aws kms create-alias --alias-name alias/certdrift-alerts --target-key-id $key"},
		{"", "for g in /aws/lambda/certdrift-probe /aws/lambda/certdrift-worker; do aws logs create-log-group --log-group-name $g && aws logs create-log-stream --log-group-name $g --log-stream-name a && " +
			"aws logs put-log-events --log-group-name $g --log-stream-name a --log-events timestamp=$(date +%s)000,message=hello || exit 1; done"},
		{"", "aws events put-rule --name certdrift-probe-schedule --schedule-expression 'rate(1 minute)'"},
		{"", "aws cloudwatch put-metric-alarm --alarm-name certdrift-probe-silent --metric-name Heartbeat --namespace Certdrift --period 60 --evaluation-periods 1 --threshold 1 --comparison-operator LessThanThreshold --statistic Sum && " +
			"aws cloudwatch set-alarm-state --alarm-name certdrift-probe-silent --state-value ALARM --state-reason test"},
		{"", "echo x >f && zip -q f.zip f && aws lambda create-function --function-name certdrift-probe --runtime provided.al2023 --handler bootstrap --role $role --zip-file fileb://f.zip"},
		{"", "aws dynamodb create-table --table-name certdrift-state --attribute-definitions AttributeName=key,AttributeType=S --key-schema AttributeName=key,KeyType=HASH --billing-mode PAY_PER_REQUEST"},
	} {
		command := os.Expand(step[1], func(name string) string {
			if v, ok := made[name]; ok {
				return v
			}
			return "$" + name
		})
		out, errs, status := d.paste(t, command)
		if status != 0 {
			t.Fatalf("%s: %s", command, errs)
		}
		made[step[0]] = strings.TrimSpace(out)
	}
	_ = d.failures(t)
	return made
}

// serveTarget serves localhost over TLS, with a certificate that has everything the commands print, and over plain HTTP the documents
// that it points to. It returns the TLS port and the documents' URL.
func serveTarget(t *testing.T, w *world) (port, documents string) {
	t.Helper()
	now := time.Now()
	crl, err := x509.CreateRevocationList(rand.Reader, &x509.RevocationList{Number: big.NewInt(1), ThisUpdate: now, NextUpdate: now.AddDate(0, 0, 1),
		RevokedCertificateEntries: []x509.RevocationListEntry{{SerialNumber: big.NewInt(7), RevocationTime: now}}}, w.ca.Certificate, w.ca.Key)
	check(t, err)
	plain := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/crl":
			_, _ = rw.Write(crl)
		case "/ca":
			_, _ = rw.Write(w.ca.Certificate.Raw)
		case "/moved":
			http.Redirect(rw, r, "http://"+r.Host+"/ca", http.StatusMovedPermanently)
		default:
			http.Redirect(rw, r, "/moved", http.StatusFound)
		}
	}))
	t.Cleanup(plain.Close)
	pair, err := w.ca.Leaf(now, []string{"localhost", "127.0.0.1"}, func(c *x509.Certificate) {
		c.IssuingCertificateURL, c.CRLDistributionPoints = []string{plain.URL + "/ca"}, []string{plain.URL + "/crl"}
		mustStaple := pkix.Extension{Id: asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 1, 24}, Value: []byte{0x30, 3, 2, 1, 5}}
		c.ExtraExtensions = append(c.ExtraExtensions, mustStaple)
	}, pki.Valid(now.AddDate(0, 0, -1), now.AddDate(0, 0, 60)))
	check(t, err)
	cas := x509.NewCertPool()
	cas.AddCert(w.ca.Certificate)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(rw, "ok\n") }))
	server.TLS = &tls.Config{MinVersion: tls.VersionTLS12, ClientAuth: tls.RequestClientCert, ClientCAs: cas, Certificates: []tls.Certificate{pair.TLS()}}
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	t.Cleanup(server.Close)
	_, port, err = net.SplitHostPort(server.Listener.Addr().String())
	check(t, err)
	return port, plain.URL + "/"
}
