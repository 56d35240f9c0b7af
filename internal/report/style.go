package report

// Role is what a piece of text is for; a Style gives it its looks.
type Role int

// The roles.
const (
	RolePlain Role = iota
	RoleHeading
	RoleCritical
	RoleWarning
	RoleInfo
	RoleGood
	RoleFaint
)

// Style dresses a text for a terminal. It must not change what the text says.
type Style func(Role, string) string

// Plain is the Style without any looks.
func Plain(_ Role, text string) string { return text }
