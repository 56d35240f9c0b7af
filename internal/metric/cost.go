package metric

// Inventory is what the cost depends on.
type Inventory struct {
	Environments int
	Functions    int
	// Endpoints and Certificates are those with separate metrics.
	Endpoints, Certificates int
}

// Count returns how many metrics of a definition an inventory has.
func (i Inventory) Count(d Definition) int {
	switch {
	case d.PerEndpoint():
		return d.Series * i.Endpoints
	case d.PerCertificate():
		return d.Series * i.Certificates
	case d.PerStack():
		return d.Series
	case d.Dimensions[0] == Function:
		return d.Series * i.Functions
	}
	return d.Series * i.Environments
}

// SeriesCount returns how many metrics certdrift writes for an inventory: those written all day and those written in one hour a
// day.
func SeriesCount(i Inventory) (allDay, hourly int) {
	for _, d := range Definitions() {
		if d.OnceADay() {
			hourly += i.Count(d)
		} else {
			allDay += i.Count(d)
		}
	}
	return allDay, hourly
}

// HoursAMonth is the number of hours in an average month: 365 × 24 / 12.
const HoursAMonth = 730

// MonthlyUSD returns the monthly cost of custom metrics at the list price of us-east-1 (aws.amazon.com/cloudwatch/pricing):
// 0.30 USD for each of the first 10,000, then 0.10, 0.05, and 0.02 above a million. CloudWatch bills a metric for the hours
// in which it is written. The free tier of ten metrics is not deducted.
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
