package cli

import (
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
	deadline  time.Duration
	out       output
}

func (a *App) plan() *cobra.Command {
	p := &planning{app: a}
	cmd := &cobra.Command{
		Use:   "plan [-c FILE] -f MANIFEST…",
		Short: "Say before a deploy what applying the manifests would attach, and refuse what would break",
		Example: `  certdrift plan -f k8s/production
  kustomize build overlays/staging | certdrift plan -f -
  terraform show -json tfplan | certdrift plan -f -
  certdrift plan -f k8s --offline
  certdrift plan -f k8s --format markdown -o comment.md`,
		Long: `A line for each listener that the manifests speak of: the certificate that the configuration declares, the one
attached now, the one that would be, and whether it covers the names of the endpoints behind. Manifests are Kubernetes
Services and Ingresses (files, directories, what kustomize or helm write on standard input), and Terraform's plans and
states as JSON. Without -f, those that the configuration names are read.

Refused is what would leave an endpoint's name without a certificate for it, take its listener away (a Service that is no
LoadBalancer any more, an Ingress without its HTTPS port), put back an expired certificate or one that ends soon, undo a
change made by hand, or attach another certificate than the configuration declares. A rotation is none of these. No endpoint is dialled.

With --offline AWS is not asked: the manifests are held against the configuration alone. What a certificate is for is
then known from its file only (certificates: [{arn, file}] in the configuration).

Exit status: 0 apply it, 1 do not, 2 wrong usage, configuration or manifest, 3 not enough could be seen to say.`,
		RunE: p.run,
	}
	f := cmd.Flags()
	f.StringVarP(&p.config, "config", "c", "", "configuration `FILE` (default "+defaultConfig+")")
	f.StringArrayVarP(&p.manifests, "manifest", "f", nil, "`MANIFEST`: a file, a directory (recursively), s3://BUCKET/PREFIX/, or - for standard input; may be repeated")
	f.StringVarP(&p.namespace, "namespace", "n", "default", "namespace of the objects that name none, as kubectl's")
	f.BoolVar(&p.offline, "offline", false, "do not ask AWS")
	f.DurationVar(&p.deadline, "deadline", 2*time.Minute, "bounds the time to ask AWS in; what it did not get to is reported")
	p.out.flags(cmd)
	_ = cmd.MarkFlagFilename("config", "yaml", "yml") // fails for an unknown flag only
	_ = cmd.MarkFlagFilename("manifest", "yaml", "yml", "json")
	return cmd
}

func (p *planning) run(cmd *cobra.Command, args []string) error {
	if err := p.out.check(); err != nil {
		return err
	}
	if p.deadline <= 0 {
		return usage("a duration such as 30s or 2m", "--deadline must be more than nothing, but is %s", p.deadline)
	}
	p.manifests = append(p.manifests, args...) // a shell writes `-f k8s/*.yaml` as one flag and arguments
	ctx, stop := interruptible(cmd.Context())
	defer stop()
	q, ready, err := p.read(ctx)
	if err != nil {
		return err
	}
	if !ready {
		return p.app.refuse(cmd, &p.out, q.Diagnostics)
	}
	ctx, cancel := context.WithTimeout(ctx, p.deadline)
	defer cancel()
	planned, err := p.app.Parts.Plan(ctx, q, p.offline, p.app.log())
	p.app.interrupted(ctx)
	if err != nil {
		return fmt.Errorf("asking AWS what is attached: %w", err)
	}
	r := report.BuildPlan(report.Input{Round: planned.Round, Conclusion: planned.Conclusion, FailOn: p.out.failOn}, planned.Rows)
	if err := p.out.write(p.app, cmd, r); err != nil {
		return err
	}
	return status(report.ExitStatus(r))
}

// read reads the configuration and the manifests. A manifest that cannot be read is a fault: what it would attach is not
// known, so the plan must not pass. ready is false where there is nothing to plan because of faults.
func (p *planning) read(ctx context.Context) (q round.Request, ready bool, err error) {
	file := p.config
	if file == "" {
		file = defaultConfig
	}
	if q.Config, q.Diagnostics, err = p.app.load(file, p.config == ""); err != nil {
		return q, false, err
	}
	if round.Fatal(q.Diagnostics) {
		return q, false, nil
	}
	paths := p.manifests
	if len(paths) == 0 {
		paths = beside(file, q.Config.Manifests)
	}
	if len(paths) == 0 {
		return q, false, usage("name them with -f: a file, a directory, or - for standard input", "plan takes manifests, and none is given")
	}
	read := p.app.Parts.Declared(ctx, paths, p.namespace, p.offline, p.app.Stdin)
	declare(&q, read)
	if p.offline {
		guessServices(&q)
	}
	declares := slices.ContainsFunc(q.Manifests, func(d observation.Declaration) bool { return !d.Closes })
	return q, len(read.Diagnostics) == 0 || declares, nil
}

// beside gives paths that a configuration names as seen from here.
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
		services[d.Service] = services[d.Service] || !d.Closes
	}
	q.Config.Endpoints = slices.Clone(q.Config.Endpoints)
	for i := range q.Config.Endpoints {
		if e := &q.Config.Endpoints[i]; e.Service == "" && services[e.Key()] {
			e.Service = e.Key()
		}
	}
}
