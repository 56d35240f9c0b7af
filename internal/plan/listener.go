package plan

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"certdrift/internal/topology"
)

// part is what applying one declaration would do to one listener and the endpoints of one environment behind it.
type part struct {
	subject subject
	row     Row
}

// subject is the listener that a part is about: the account's, else the one that the manifests mean; and what it would hold.
type subject struct {
	listener    *topology.Listener
	place       string
	declaration *topology.Declaration
	notRead     int
	would       string
}

func (x effect) subject(row Row) subject {
	d := x.declaration
	s := subject{listener: x.listener}
	for _, c := range row.Would {
		s.would += fmt.Sprint(c.ARN, c.Default, c.Listed, " ")
	}
	switch {
	case s.listener != nil:
	case d.Group != "":
		s.place = fmt.Sprint("group ", d.Group, ":", d.Port)
	case d.Listener != "", d.ListenerARN != "":
		s.place = cmp.Or(d.Listener, d.ListenerARN)
	case d.Service == "" && d.LoadBalancer != "" && d.Port != 0:
		s.place = label(d)
	default:
		s.declaration = d
	}
	return s
}

// byListener makes one row of all parts about one listener, the worst rows first.
func byListener(parts []part) []Row {
	var order []subject
	of := map[subject][]Row{}
	for _, p := range parts {
		if of[p.subject] == nil {
			order = append(order, p.subject)
		}
		of[p.subject] = append(of[p.subject], p.row)
	}
	rows := make([]Row, 0, len(order))
	for _, s := range order {
		rows = append(rows, merged(of[s]))
	}
	slices.SortStableFunc(rows, func(a, b Row) int {
		return cmp.Or(byState(a, b), strings.Compare(a.Object, b.Object), cmp.Compare(a.Port, b.Port), strings.Compare(a.Listener, b.Listener),
			slices.Compare(a.Endpoints, b.Endpoints))
	})
	return rows
}

func byState(a, b Row) int {
	return cmp.Compare(slices.Index(States(), a.State), slices.Index(States(), b.State))
}

// merged is the row of a listener: the worst of its parts, with what the others add.
func merged(parts []Row) Row {
	slices.SortStableFunc(parts, func(a, b Row) int { return cmp.Or(byVerdict(a, b), strings.Compare(a.Object, b.Object)) })
	row := parts[0]
	row.Objects = []Object{}
	var remedies []string
	for i, p := range parts {
		if one := (Object{p.Object, p.Source, p.Generated}); !slices.Contains(row.Objects, one) {
			row.Objects = append(row.Objects, one)
		}
		if p.Remedy != "" && !slices.Contains(remedies, p.Remedy) {
			remedies = append(remedies, p.Remedy)
		}
		if i == 0 {
			continue
		}
		row.Action = combined(row.Action, p.Action)
		row.Reasons, row.NotKnown = union(row.Reasons, p.Reasons), union(row.NotKnown, p.NotKnown)
		row.Endpoints, row.Unaffected = union(row.Endpoints, p.Endpoints), row.Unaffected && p.Unaffected
		row.Declared = unionOf(row.Declared, p.Declared, func(a, b Certificate) bool {
			return a.ARN == b.ARN && a.FingerprintSHA256 == b.FingerprintSHA256 && a.Issuer == b.Issuer
		})
		row.Names = unionOfNames(row.Names, p.Names)
	}
	slices.Sort(row.Endpoints)
	slices.SortStableFunc(row.Names, func(a, b Name) int { return strings.Compare(a.Name, b.Name) })
	row.Remedy = strings.Join(remedies, "\n")
	row.State = row.state()
	return row
}

func byVerdict(a, b Row) int {
	order := [...]Verdict{Refuse, Undecided, Warn, Pass}
	return cmp.Compare(slices.Index(order[:], a.Verdict), slices.Index(order[:], b.Verdict))
}

// combined is what happens to a listener of which several actions are said: what changes it for some changes it.
func combined(a, b Action) Action {
	order := [...]Action{Remove, Create, Change, Discover, Unknown, Keep}
	return order[min(slices.Index(order[:], a), slices.Index(order[:], b))]
}

// unionOfNames has each name once, with its problem where either has one.
func unionOfNames(a, b []Name) []Name {
	out := unionOf(a, b, func(x, y Name) bool { return x.Name == y.Name })
	for _, n := range b {
		if i := slices.IndexFunc(out, func(o Name) bool { return o.Name == n.Name }); out[i].Problem == "" && n.Problem != "" {
			out[i] = n
		}
	}
	return out
}

func union(a, b []string) []string {
	return unionOf(a, b, func(x, y string) bool { return x == y })
}

// unionOf is a and what b has that a has not.
func unionOf[T any](a, b []T, same func(x, y T) bool) []T {
	out := slices.Clone(a)
	for _, y := range b {
		if !slices.ContainsFunc(out, func(x T) bool { return same(x, y) }) {
			out = append(out, y)
		}
	}
	return out
}
