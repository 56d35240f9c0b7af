package listener

import (
	"context"
	"errors"
	"fmt"
)

// maxPages bounds any listing: 400 load balancers a page make 80,000, far above AWS's quotas.
const maxPages = 200

var errRepeatedToken = errors.New("AWS returned the same page token twice; the rest of the list was not read")

// pages requests page after page until there is none. next gets the token of the page wanted and returns the next one's.
// A repeated token or an endless list ends it with an error: the SDK's own paginators would loop forever.
func pages(ctx context.Context, next func(token *string) (*string, error)) error {
	var token *string
	seen := map[string]bool{}
	for range maxPages {
		if err := ctx.Err(); err != nil {
			return err
		}
		following, err := next(token)
		switch {
		case err != nil:
			return err
		case following == nil || *following == "":
			return nil
		case seen[*following]:
			return errRepeatedToken
		}
		seen[*following] = true
		token = following
	}
	return fmt.Errorf("stopped after %d pages", maxPages)
}
