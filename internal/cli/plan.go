package cli

import (
	"cmp"
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"certdrift/internal/observation"
	"certdrift/internal/report"
	"certdrift/internal/round"
)

// planning is `certdrift plan`: its flags.
type planning struct {
	app       *App
	config    string
	manifests []string
	namespace string
	offline   bool
	whole     bool
	deadline  time.Duration
	out       output
}

func (a *App) plan() *cobra.Command {
	p := &planning{app: a}
	cmd := &cobra.Command{
		Use:   "plan [-c FILE] -f MANIFEST…",
		Short: "Preview what applying the manifests would attach, and refuse what would break",
		Example: `  certdrift plan -f k8s/production
  kustomize build overlays/staging | certdrift plan -f -
  terraform show -json tfplan | certdrift plan -f -
  aws cloudformation describe-change-set --change-set-name ARN --include-property-values | certdrift plan -f -
  certdrift plan -f k8s --offline
  certdrift plan -f k8s --format markdown -o comment.md`,
		Long: `Prints a row for each listener that the manifests are about, worst first: the certificates declared by the configuration,
attached now, and attached after apply ("-" marks what goes, "+" what comes), the certificate that clients of each
hostname get, why, and what to change or run. The last line counts the rows. Manifests are Kubernetes Services,
Ingresses and Gateways (files, directories, or kustomize or helm output on standard input), Terraform plans and states
and Pulumi previews and stacks as JSON, and CloudFormation change sets and templates, also of SAM and the CDK. Without
-f, the configuration's manifests are read.

A manifest is refused if applying it would leave an endpoint without a certificate for its hostname, remove its
listener (a Service that is no longer a LoadBalancer, an Ingress without its HTTPS port), attach a certificate that has
expired or expires soon, undo a manual change, or attach a certificate other than the one the configuration declares.
A rotation is not refused. No endpoint is probed.

Anything else that can put a certificate on a load balancer is undecided and reported with its file and line: documents
that certdrift does not read but that contain a certificate's ARN or an annotation for one (Helm values, patches), a
certificate that a controller looks up or that the same apply creates, a listener without an endpoint in the
configuration, a load balancer that is deleted while its listeners are declared elsewhere, and what a CloudFormation
template leaves to its parameters, conditions and nested stacks. Input that is neither a manifest nor a plan is an error,
as are manifests that kubectl rejects, plans and previews that ended with an error, and change sets that failed.

With --offline, AWS is not queried: the manifests are compared with the configuration alone, and a certificate's
hostnames are known only from its file (certificates: [{arn, file}] in the configuration).

The controller puts the certificates of all Ingresses of a group on one listener. A member that is not among the manifests may
have one for the same hostname, so with --offline a group is undecided; with AWS it is if a certificate on the listener may be
such a member's. --whole-groups says that there is none.

Exit status: 0 safe to apply: everything was understood and compared, 1 refused, 2 usage, configuration or manifest error,
3 undecided: too much is unknown.`,
		RunE: p.run,
	}
	f := cmd.Flags()
	f.StringVarP(&p.config, "config", "c", "", "configuration `FILE`, or - for standard input (default "+defaultConfig+")")
	f.StringArrayVarP(&p.manifests, "manifest", "f", nil, "`MANIFEST`: a file, a directory (recursively), s3://BUCKET/PREFIX/, or - for standard input; may be repeated")
	f.StringVarP(&p.namespace, "namespace", "n", "default", "namespace of objects that specify none, as in kubectl")
	f.BoolVar(&p.offline, "offline", false, "do not query AWS")
	f.BoolVar(&p.whole, "whole-groups", false, "the manifests have every Ingress of their groups (group.name): no member is elsewhere")
	durationFlag(f, &p.deadline, "deadline", 2*time.Minute, "time limit for reading from AWS; what was not read in time is reported")
	p.out.flags(cmd)
	_ = cmd.MarkFlagFilename("config", "yaml", "yml") // fails only for an unknown flag
	_ = cmd.MarkFlagFilename("manifest", "yaml", "yml", "json")
	return cmd
}

func (p *planning) run(cmd *cobra.Command, args []string) error {
	if err := p.out.check(); err != nil {
		return err
	}
	if p.deadline <= 0 {
		return usage("a duration such as 30s or 2m", "--deadline must be greater than zero, not %s", p.deadline)
	}
	p.manifests = append(p.manifests, args...) // a shell writes `-f k8s/*.yaml` as one flag and arguments
	q, ready, err := p.read(cmd.Context())
	if err != nil {
		return err
	}
	if !ready {
		return p.app.refuse(cmd, &p.out, q.Diagnostics)
	}
	ctx, stop := interruptible(cmd.Context()) // not before: what waits for standard input does not look at a context
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, p.deadline)
	defer cancel()
	planned, err := p.app.Parts.Plan(ctx, q, p.offline, p.app.log())
	stopped := p.app.interrupted(ctx)
	if err != nil {
		return fmt.Errorf("reading from AWS what is attached: %w", err)
	}
	r := report.BuildPlan(report.Input{Round: planned.Round, Conclusion: planned.Conclusion, FailOn: p.out.failOn}, planned.Rows)
	if err := p.out.write(p.app, cmd, r); err != nil {
		return err
	}
	return cmp.Or(stopped, status(report.ExitStatus(r)))
}

// read reads the configuration and the manifests. A manifest that cannot be read is a fault: what it would attach is not
// known, so the plan must not pass. ready is false where there is nothing to plan because of faults.
func (p *planning) read(ctx context.Context) (q round.Request, ready bool, err error) {
	if q.Config, q.Diagnostics, err = p.app.load(p.config); err != nil {
		return q, false, err
	}
	if round.Fatal(q.Diagnostics) {
		return q, false, nil
	}
	paths := p.manifests
	if len(paths) == 0 {
		paths = beside(configFile(p.config), q.Config.Manifests)
	}
	if len(paths) == 0 {
		return q, false, usage("name them with -f: a file, a directory, or - for standard input", "plan needs manifests, but none are given")
	}
	read := p.app.Parts.Declared(ctx, paths, p.namespace, p.offline, p.app.Stdin)
	declare(&q, read)
	q.WholeGroups = p.whole
	if p.offline {
		guessServices(&q)
	}
	declares := slices.ContainsFunc(q.Manifests, func(d observation.Declaration) bool { return !d.RemovesListeners })
	return q, len(read.Diagnostics) == 0 || declares, nil
}

// beside returns paths that a configuration names, relative to the working directory.
func beside(file string, paths []string) []string {
	var out []string
	for _, path := range paths {
		if path != "-" && !strings.Contains(path, "://") && !filepath.IsAbs(path) {
			path = filepath.Join(filepath.Dir(file), path)
		}
		out = append(out, path)
	}
	return out
}

// guessServices takes an endpoint of the same name (ENVIRONMENT/NAME) as a Service (NAMESPACE/NAME) to be behind it,
// where the configuration does not say and no load balancer's tags can be asked.
func guessServices(q *round.Request) {
	services := map[string]bool{}
	for _, d := range q.Manifests {
		services[d.Service] = services[d.Service] || !d.RemovesListeners
	}
	q.Config.Endpoints = slices.Clone(q.Config.Endpoints)
	for i := range q.Config.Endpoints {
		if e := &q.Config.Endpoints[i]; e.Service == "" && services[e.Key()] {
			e.Service = e.Key()
		}
	}
}
