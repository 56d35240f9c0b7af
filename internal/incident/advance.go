package incident

// Advance is one step: the state that the store holds and what a round found give the records to write and the notices
// to send. It returns only records that changed, sorted by key, each with the Version that was loaded; and one notice
// per record, worst first. See the package's protocol for what to do with them.
func Advance(in Input) (changed []Record, notices []Notice) {
	return nil, nil
}
