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
	"certdrift/internal/observation"
	"certdrift/internal/report"
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
		Short: "Write a first configuration from the account's load balancers, from manifests, or from both",
		Example: `  certdrift init --from-aws -o certdrift.yaml
  certdrift init -f k8s -o certdrift.yaml
  certdrift init --from-aws --region us-west-2,eu-central-1 -f k8s`,
		Long: `An endpoint for each host behind each TLS listener, with the certificate that is meant for it and the load balancer
in front; an environment for each namespace, and "default" for what no Kubernetes object made. Hosts come from the
manifests, else from the certificates. What can't be known, such as the hosts behind a wildcard certificate, is left
as a comment. Where manifest and load balancer disagree, what is attached is written down, and the difference named.

It goes to standard output, or with -o into a file, which must not be there yet unless --force is given.

Exit status: 0 written, 2 wrong usage or manifests, 3 written, but not all of AWS could be seen.`,
		RunE: n.run,
	}
	f := cmd.Flags()
	f.BoolVar(&n.fromAWS, "from-aws", false, "read the account's load balancers and certificates")
	f.StringSliceVar(&n.regions, "region", nil, "with --from-aws: the `REGION`s to walk (default the SDK's own)")
	f.StringArrayVarP(&n.manifests, "manifest", "f", nil, "`MANIFEST`: a file, a directory (recursively), or - for standard input; may be repeated")
	f.StringVarP(&n.namespace, "namespace", "n", "default", "namespace of the objects that name none, as kubectl's")
	f.StringVarP(&n.file, "output", "o", "", "write it to `FILE` instead of standard output")
	f.BoolVar(&n.force, "force", false, "write over a file that is there")
	_ = cmd.MarkFlagFilename("output", "yaml", "yml") // fails for an unknown flag only
	_ = cmd.MarkFlagFilename("manifest", "yaml", "yml", "json")
	return cmd
}

func (n *initial) run(cmd *cobra.Command, args []string) error {
	n.manifests = append(n.manifests, args...) // a shell writes `-f k8s/*.yaml` as one flag and arguments
	if err := n.flags(); err != nil {
		return err
	}
	in := draft.Input{Asked: n.fromAWS, Paths: n.paths(), Regions: n.regions}
	if len(n.manifests) > 0 {
		read := n.app.Parts.Declared(cmd.Context(), n.manifests, n.namespace, !n.fromAWS, n.app.Stdin)
		in.Manifests = slices.DeleteFunc(read.Declared, func(d observation.Declaration) bool { return d.Closes })
		n.app.printFaults(read.Diagnostics)
		n.troubles(read.ObserveErrors)
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
	}
	text := draft.Write(in)
	if _, faults := n.app.Parts.Parse("the draft", text); len(faults) > 0 {
		n.app.printFaults(faults)
		return errors.New("drafting a configuration: certdrift made one that it does not take itself, which is a fault in certdrift")
	}
	if err := n.write(text); err != nil {
		return err
	}
	if len(in.Attached.ObserveErrors) > 0 {
		return statusError(report.StatusIncomplete)
	}
	return nil
}

func (n *initial) flags() error {
	if !n.fromAWS && len(n.manifests) == 0 {
		return usage("certdrift init --from-aws, or certdrift init -f k8s", "init takes what to write it from: the account, manifests, or both")
	}
	if !n.fromAWS && len(n.regions) > 0 {
		return usage("add --from-aws", "--region goes with --from-aws")
	}
	if err := writable("output", n.file); err != nil || n.file == "" || n.force {
		return err
	}
	if _, err := os.Stat(n.file); !errors.Is(err, fs.ErrNotExist) {
		return usage("name another with -o, or add --force to write over it", "%q is there already", n.file)
	}
	return nil
}

// ask reads the account, and tells what could not be read.
func (n *initial) ask(ctx context.Context, in *draft.Input) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	var err error
	if in.Attached, err = n.app.Parts.Inventory(ctx, n.regions); err != nil {
		return fmt.Errorf("reading the account: %w", err)
	}
	n.troubles(in.Attached.ObserveErrors)
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

// troubles tells what could not be read.
func (n *initial) troubles(all []observation.ObserveError) {
	for _, t := range all {
		place := strings.Join(strings.Fields(t.Operation+" "+finding.Clean(t.Region, 64)+" "+finding.Clean(t.Resource, finding.QuoteLimit)), " ")
		fmt.Fprintf(n.app.Stderr, "certdrift: %s: %s: %s\n", t.Kind, place, finding.Clean(t.Detail, finding.QuoteLimit))
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
	fmt.Fprintf(n.app.Stderr, "wrote %s; next: certdrift validate -c %[1]s && certdrift check -c %[1]s\n", n.file)
	return nil
}
