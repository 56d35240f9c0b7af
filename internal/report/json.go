package report

import (
	"encoding/json"
	"fmt"
	"io"
)

// WriteJSON writes the document of the contract, indented, with a newline at its end. Strings are escaped for HTML
// too (encoding/json's default), so that the document may stand in a page.
func WriteJSON(w io.Writer, r Report) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	if err := enc.Encode(r); err != nil {
		return fmt.Errorf("encoding the report: %w", err)
	}
	return nil
}
