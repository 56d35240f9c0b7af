package report

import (
	"encoding/json"
	"fmt"
	"io"

	"certdrift/internal/prose"
)

// WriteJSON writes the document of the contract, indented, with a newline at its end. Strings are escaped for HTML
// too (encoding/json's default), so that the document may stand in a page, and for a terminal.
func WriteJSON(w io.Writer, r Report) error {
	if err := EncodeJSON(w, r); err != nil {
		return fmt.Errorf("encoding the report: %w", err)
	}
	return nil
}

// EncodeJSON writes a value as an indented document that can be printed anywhere.
func EncodeJSON(w io.Writer, v any) error {
	raw, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	_, err = w.Write(append(prose.VisibleJSON(raw), '\n'))
	return err
}
