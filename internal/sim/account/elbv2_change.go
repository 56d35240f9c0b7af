package account

import (
	"context"
	"net/http"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

// change runs a mutating call on one listener and records it, whether it went through or not.
func (c *ELBv2) change(ctx context.Context, name, listenerARN string, in any, certs []types.Certificate, do func(*balancer, *listener) error) (*types.Listener, error) {
	w := c.account.world
	err := w.enter(ctx, "elbv2:"+name, in)
	var after *types.Listener
	if err == nil {
		after, err = w.changeListener(listenerARN, certs, do)
	}
	said := call{
		source: balancerSource, version: modernVersion, name: name, err: err,
		request: map[string]any{"listenerArn": listenerARN, "certificates": certificatesJSON(certs)},
	}
	if after != nil && name == "ModifyListener" {
		said.response = map[string]any{"listeners": []any{map[string]any{
			"listenerArn": listenerARN, "loadBalancerArn": aws.ToString(after.LoadBalancerArn), "port": aws.ToInt32(after.Port),
			"protocol": string(after.Protocol), "certificates": certificatesJSON(after.Certificates),
		}}}
	}
	c.account.record(said)
	return after, err
}

func (w *world) changeListener(listenerARN string, certs []types.Certificate, do func(*balancer, *listener) error) (*types.Listener, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	b, l, err := w.listenerAt(listenerARN)
	if err != nil {
		return nil, err
	}
	for _, arn := range arns(certs) {
		if w.certificates[arn] == nil {
			return nil, apiError(http.StatusBadRequest, "CertificateNotFound", "Certificate ARN '"+arn+"' is not valid")
		}
	}
	if err := do(b, l); err != nil {
		return nil, err
	}
	return new(l.describe(b)), nil
}

// ModifyListener changes a listener's default certificate and security policy.
func (c *ELBv2) ModifyListener(ctx context.Context, in *elbv2.ModifyListenerInput, _ ...func(*elbv2.Options)) (*elbv2.ModifyListenerOutput, error) {
	after, err := c.change(ctx, "ModifyListener", aws.ToString(in.ListenerArn), in, in.Certificates, func(_ *balancer, l *listener) error {
		if len(in.Certificates) > 1 {
			return apiError(http.StatusBadRequest, "TooManyCertificates", "You can specify only one certificate")
		}
		if len(in.Certificates) == 1 {
			list := l.Certificates[min(1, len(l.Certificates)):]
			l.Certificates = append([]string{aws.ToString(in.Certificates[0].CertificateArn)}, list...)
		}
		if in.SslPolicy != nil {
			l.Policy = aws.ToString(in.SslPolicy)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &elbv2.ModifyListenerOutput{Listeners: []types.Listener{*after}}, nil
}

// AddListenerCertificates adds certificates for SNI.
func (c *ELBv2) AddListenerCertificates(ctx context.Context, in *elbv2.AddListenerCertificatesInput, _ ...func(*elbv2.Options)) (*elbv2.AddListenerCertificatesOutput, error) {
	_, err := c.change(ctx, "AddListenerCertificates", aws.ToString(in.ListenerArn), in, in.Certificates, func(_ *balancer, l *listener) error {
		for _, arn := range arns(in.Certificates) {
			if !slices.Contains(l.Certificates[min(1, len(l.Certificates)):], arn) {
				l.Certificates = append(l.Certificates, arn)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &elbv2.AddListenerCertificatesOutput{Certificates: in.Certificates}, nil
}

// RemoveListenerCertificates takes SNI certificates away; the default one stays.
func (c *ELBv2) RemoveListenerCertificates(ctx context.Context, in *elbv2.RemoveListenerCertificatesInput, _ ...func(*elbv2.Options)) (*elbv2.RemoveListenerCertificatesOutput, error) {
	_, err := c.change(ctx, "RemoveListenerCertificates", aws.ToString(in.ListenerArn), in, nil, func(_ *balancer, l *listener) error {
		gone := arns(in.Certificates)
		if len(l.Certificates) > 0 && slices.Contains(gone, l.Certificates[0]) {
			return apiError(http.StatusBadRequest, "OperationNotPermitted", "Default certificate cannot be removed")
		}
		l.Certificates = slices.DeleteFunc(l.Certificates, func(a string) bool { return slices.Contains(gone, a) })
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &elbv2.RemoveListenerCertificatesOutput{}, nil
}

// DeleteListener takes a listener away.
func (c *ELBv2) DeleteListener(ctx context.Context, in *elbv2.DeleteListenerInput, _ ...func(*elbv2.Options)) (*elbv2.DeleteListenerOutput, error) {
	_, err := c.change(ctx, "DeleteListener", aws.ToString(in.ListenerArn), in, nil, func(b *balancer, gone *listener) error {
		b.listeners = slices.DeleteFunc(b.listeners, func(l *listener) bool { return l == gone })
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &elbv2.DeleteListenerOutput{}, nil
}

func arns(certs []types.Certificate) []string {
	var out []string
	for _, c := range certs {
		out = append(out, aws.ToString(c.CertificateArn))
	}
	return out
}

func certificatesJSON(certs []types.Certificate) []any {
	out := []any{}
	for _, arn := range arns(certs) {
		out = append(out, map[string]any{"certificateArn": arn})
	}
	return out
}
