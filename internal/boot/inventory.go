package boot

import (
	"context"

	"certdrift/internal/observation"
	"certdrift/internal/target"
)

// Inventory reads every load balancer of the own account in some regions, the own one by default, with its
// certificates.
func Inventory(ctx context.Context, regions []string) (observation.Attached, error) {
	cloud, err := newCloud(ctx)
	if err != nil {
		return observation.Attached{}, err
	}
	cloud.reach(regions...)
	return cloud.inspector().Inspect(ctx, target.Wanted{Scope: target.Scope{Enabled: true, Walk: true, Listed: true, Regions: regions}}), nil
}
