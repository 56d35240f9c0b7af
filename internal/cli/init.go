package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"certdrift/internal/draft"
	"certdrift/internal/finding"
	"certdrift/internal/judge"
	"certdrift/internal/observation"
	"certdrift/internal/prose"
	"certdrift/internal/report"
	"certdrift/internal/topology"
)

// initial is `certdrift init`: its flags.
type initial struct {
	app       *App
	fromAWS   bool
	regions   []string
	manifests []string
	namespace string
	file      string
	force     bool
}

func (a *App) draft() *cobra.Command {
	n := &initial{app: a}
	cmd := &cobra.Command{
		Use:   "init [--from-aws] [-f MANIFEST…]",
		Short: "Draft a configuration from the account's load balancers, from manifests, or both",
		Example: `  certdrift init --from-aws -o certdrift.yaml
  certdrift init -f k8s -o certdrift.yaml
  certdrift init --from-aws --region us-west-2,eu-central-1 -f k8s`,
		Long: `Drafts an endpoint for each host of each TLS listener, with its intended certificate and its load balancer; an
environment for each namespace, and "default" for load balancers that Kubernetes did not create. Hosts come from the
manifests, or else from the certificates. An endpoint whose host is unknown, such as behind a wildcard certificate, is
commented out: fill in HOST and uncomment it. If a manifest and a load balancer disagree, the draft has the attached certificate and notes the difference.

Writes to standard output, or with -o to a file, which must not exist unless --force is given.

Exit status: 0 written, 2 usage or manifest error, 3 written, but parts of the account or of the manifests could not be
read, or no hostname was found, so that the draft has no endpoint yet; or not written, if nothing could be read.`,
		RunE: n.run,
	}
	f := cmd.Flags()
	f.BoolVar(&n.fromAWS, "from-aws", false, "read the account's load balancers and certificates")
	f.StringSliceVar(&n.regions, "region", nil, "with --from-aws: the `REGION`s to read (default: the AWS SDK's region)")
	f.StringArrayVarP(&n.manifests, "manifest", "f", nil, "`MANIFEST`: a file, a directory (recursively), or - for standard input; may be repeated")
	f.StringVarP(&n.namespace, "namespace", "n", "default", "namespace of objects that specify none, as in kubectl")
	f.StringVarP(&n.file, "output", "o", "", "write to `FILE` instead of standard output")
	f.BoolVar(&n.force, "force", false, "overwrite an existing file")
	_ = cmd.MarkFlagFilename("output", "yaml", "yml") // fails only for an unknown flag
	_ = cmd.MarkFlagFilename("manifest", "yaml", "yml", "json")
	return cmd
}

func (n *initial) run(cmd *cobra.Command, args []string) error {
	n.manifests = append(n.manifests, args...) // a shell writes `-f k8s/*.yaml` as one flag and arguments
	if err := n.flags(); err != nil {
		return err
	}
	in := draft.Input{Asked: n.fromAWS, Paths: n.paths(), Regions: n.regions, Now: n.app.Now()}
	unread := false
	if len(n.manifests) > 0 {
		read := n.app.Parts.Declared(cmd.Context(), n.manifests, n.namespace, !n.fromAWS, n.app.Stdin)
		in.Manifests = slices.DeleteFunc(read.Declared, func(d observation.Declaration) bool { return d.RemovesListeners })
		n.app.printDiagnostics(read.Diagnostics)
		n.printErrors(read.ObserveErrors)
		n.printPassedOver(read.PassedOver)
		unread = len(read.Diagnostics)+len(read.ObserveErrors)+len(read.PassedOver) > 0
		switch {
		case len(in.Manifests) > 0:
		case len(read.Diagnostics) > 0:
			return statusError(report.StatusUsage)
		case len(read.ObserveErrors) > 0:
			return statusError(report.StatusIncomplete)
		}
	}
	if n.fromAWS {
		if err := n.ask(cmd.Context(), &in); err != nil {
			return err
		}
		if len(in.Manifests)+len(in.Attached.LoadBalancers) == 0 && len(in.Attached.ObserveErrors) > 0 {
			return n.nothingRead(in.Attached.ObserveErrors)
		}
	}
	drafted := draft.Write(in)
	if _, faults := n.app.Parts.Parse("the draft", drafted.Text); len(faults) > 0 {
		n.app.printDiagnostics(faults)
		return errors.New("drafting a configuration: the draft is not valid; this is a bug in certdrift")
	}
	if err := n.write(drafted.Text); err != nil {
		return err
	}
	n.next(drafted)
	if unread || len(in.Attached.ObserveErrors) > 0 || drafted.Endpoints == 0 {
		return statusError(report.StatusIncomplete)
	}
	return nil
}

// nothingRead refuses to write a draft of an account that could not be read: without an endpoint, it would be valid, check nothing, and be
// in the way of the next attempt.
func (n *initial) nothingRead(errs []observation.ObserveError) error {
	err := &unseenError{errors.New("nothing could be read from the account, so no configuration was written"), "run it again when what is named above is fixed"}
	if slices.ContainsFunc(errs, observation.ObserveError.WithoutCredentials) {
		err.hint = judge.SignIn
	}
	return err
}

// next prints what to do with the draft. One without an endpoint checks nothing yet.
func (n *initial) next(d draft.Draft) {
	file := n.file
	if file == "" {
		file = "certdrift.yaml"
	}
	file = clean(file)
	then := fmt.Sprintf("certdrift validate -c %s && certdrift check -c %[1]s", file)
	switch {
	case d.Hostless > 0:
		listeners := prose.Count(d.Hostless, "listener")
		if d.Endpoints == 0 {
			fmt.Fprintf(n.app.Stderr, "certdrift: no hostname found for %s: the draft has no endpoint, so nothing would be checked yet\n", listeners)
		} else {
			fmt.Fprintf(n.app.Stderr, "certdrift: no hostname found for %s\n", listeners)
		}
		fmt.Fprintf(n.app.Stderr, "next: in %s, replace HOST in %s and uncomment those endpoints; then: %s\n", file, prose.Count(d.Hostless, "place"), then)
	case d.Endpoints == 0:
		fmt.Fprintf(n.app.Stderr, "certdrift: no listener with a certificate found: the draft has no endpoint, so nothing would be checked yet\n")
		fmt.Fprintf(n.app.Stderr, "next: add endpoints to %s (certdrift.example.yaml shows how); then: %s\n", file, then)
	case n.file != "":
		fmt.Fprintf(n.app.Stderr, "next: %s\n", then)
	}
}

func (n *initial) flags() error {
	if !n.fromAWS && len(n.manifests) == 0 {
		return usage("certdrift init --from-aws, or certdrift init -f k8s", "init needs the account, manifests, or both to write from")
	}
	if !n.fromAWS && len(n.regions) > 0 {
		return usage("add --from-aws", "--region requires --from-aws")
	}
	if n.file == standardInput { // as everywhere, - is standard output here
		n.file = ""
	}
	if err := writable("output", n.file); err != nil || n.file == "" || n.force {
		return err
	}
	if _, err := os.Stat(n.file); !errors.Is(err, fs.ErrNotExist) {
		return usage("name another file with -o, or add --force to overwrite it", "%q already exists", n.file)
	}
	return nil
}

// ask reads the account, and reports what could not be read.
func (n *initial) ask(ctx context.Context, in *draft.Input) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	var err error
	if in.Attached, err = n.app.Parts.Inventory(ctx, n.regions); err != nil {
		return fmt.Errorf("reading the account: %w", err)
	}
	n.printErrors(in.Attached.ObserveErrors)
	if len(in.Regions) > 0 {
		return nil
	}
	for _, lb := range in.Attached.LoadBalancers {
		if !slices.Contains(in.Regions, lb.Region) {
			in.Regions = append(in.Regions, lb.Region)
		}
	}
	slices.Sort(in.Regions)
	return nil
}

// printErrors reports what could not be read.
func (n *initial) printErrors(all []observation.ObserveError) {
	for _, t := range all {
		place := strings.Join(strings.Fields(clean(t.Operation)+" "+finding.Clean(t.Region, 64)+" "+finding.Clean(t.Resource, finding.QuoteLimit)), " ")
		fmt.Fprintf(n.app.Stderr, "certdrift: %s: %s: %s\n", t.Kind, place, finding.Clean(t.Detail, finding.QuoteLimit))
	}
}

// printPassedOver reports what is not in the draft although it may have listeners.
func (n *initial) printPassedOver(all []observation.PassedOver) {
	const most = 20
	for _, o := range all[:min(len(all), most)] {
		fmt.Fprintf(n.app.Stderr, "certdrift: not in the draft: %s (%s): %s\n", topology.Position(o.Position), clean(o.Object), clean(o.Why))
	}
	if more := len(all) - most; more > 0 {
		fmt.Fprintf(n.app.Stderr, "certdrift: not in the draft: %s more\n", prose.Count(more, "object"))
	}
}

// paths are the manifests' as the configuration will name them: relative to itself. Standard input has none.
func (n *initial) paths() []string {
	var out []string
	for _, path := range n.manifests {
		if path == "-" {
			continue
		}
		if !strings.Contains(path, "://") && !filepath.IsAbs(path) && n.file != "" {
			if here, err := filepath.Abs(path); err == nil {
				if dir, err := filepath.Abs(filepath.Dir(n.file)); err == nil {
					if relative, err := filepath.Rel(dir, here); err == nil {
						path = relative
					}
				}
			}
		}
		out = append(out, filepath.ToSlash(path))
	}
	return out
}

func (n *initial) write(text []byte) error {
	if n.file == "" {
		_, err := n.app.Stdout.Write(text)
		return err
	}
	if err := replaceFile(n.file, func(w io.Writer) error { _, err := w.Write(text); return err }); err != nil {
		return fmt.Errorf("writing the configuration: %w", err)
	}
	fmt.Fprintf(n.app.Stderr, "wrote %s\n", clean(n.file))
	return nil
}
