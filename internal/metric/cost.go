package metric

// Inventory is what a bill depends on.
type Inventory struct {
	Environments int
	Functions    int
	// Endpoints are those with series of their own.
	Endpoints int
}

// SeriesCount is how many series certdrift writes for an inventory, those that are written all day and those that are
// written an hour a day.
func SeriesCount(i Inventory) (allDay, hourly int) {
	for _, d := range Definitions() {
		switch {
		case d.Name == EndpointDaysLeft:
			hourly += d.Series * i.Endpoints
		case d.PerEndpoint():
			allDay += d.Series * i.Endpoints
		case d.Dimensions[0] == Function:
			allDay += d.Series * i.Functions
		default:
			allDay += d.Series * i.Environments
		}
	}
	return allDay, hourly
}

// MonthlyUSD is what custom metrics cost in a month at the list price of us-east-1
// (aws.amazon.com/cloudwatch/pricing): 0.30 USD for each of the first 10,000, then 0.10, 0.05, and 0.02 past a million.
// CloudWatch bills a metric for the hours in which it is written. The ten metrics of the free tier are not counted.
func MonthlyUSD(allDay, hourly int) float64 {
	left := float64(allDay) + float64(hourly)/24
	var usd float64
	for _, tier := range []struct{ size, price float64 }{{10_000, 0.30}, {240_000, 0.10}, {750_000, 0.05}} {
		n := min(left, tier.size)
		usd += n * tier.price
		left -= n
	}
	return usd + left*0.02
}
