package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"
)

// faults are what is wrong with AWS for a while: the front asks them before it answers a call.
type faults struct {
	mu  sync.Mutex
	now map[string]fault // by permission ("sns:Publish"); a service alone ("dynamodb") is all of its calls
}

// fault is how calls fail.
type fault struct {
	status int
	code   string        // AWS's name of the error
	after  time.Duration // how long the call hangs first
	empty  bool          // a success without content, which proves nothing
}

// ways are the ways in which AWS fails.
var ways = map[string]fault{
	"denied":    {status: http.StatusForbidden, code: "AccessDeniedException"},
	"throttled": {status: http.StatusBadRequest, code: "ThrottlingException"},
	"broken":    {status: http.StatusInternalServerError, code: "InternalFailure"},
	"slow":      {after: 300 * time.Millisecond},
	"hanging":   {status: http.StatusServiceUnavailable, code: "ServiceUnavailable", after: 4 * time.Second},
	"hollow":    {status: http.StatusOK, empty: true},
}

// set makes calls fail from now on; the zero fault ends that.
func (f *faults) set(permission string, how fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.now == nil {
		f.now = map[string]fault{}
	}
	f.now[permission] = how
}

// answer reports whether it answered the call itself, by a fault.
func (f *faults) answer(w http.ResponseWriter, r *http.Request, c call) bool {
	f.mu.Lock()
	how, set := f.now[permission(c)]
	if !set {
		how = f.now[c.service]
	}
	f.mu.Unlock()
	if how.after > 0 {
		select {
		case <-time.After(how.after):
		case <-r.Context().Done():
		}
	}
	switch {
	case how.empty && c.target != "":
		w.Header().Set("Content-Type", "application/x-amz-json-1.0")
		_, _ = io.WriteString(w, "{}")
		return true
	case how.empty:
		w.Header().Set("Content-Type", "text/xml")
		_, _ = fmt.Fprintf(w, "<%sResponse><%sResult></%sResult></%sResponse>", c.action, c.action, c.action, c.action)
		return true
	case how.status != 0:
		fail(w, c, how.status, how.code, "the soak test says so")
		return true
	}
	return false
}

// fail responds as AWS does, in the protocol of the call.
func fail(w http.ResponseWriter, c call, status int, code, reason string) {
	switch {
	case c.cbor:
		writeCBOR(w, status, map[string]any{"__type": "com.amazonaws.cloudwatch#" + code, "message": reason})
	case c.target != "" || c.service == "lambda":
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		w.Header().Set("X-Amzn-ErrorType", code)
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(map[string]string{"__type": code, "message": reason})
	default:
		w.Header().Set("Content-Type", "text/xml")
		w.WriteHeader(status)
		code = strings.TrimSuffix(code, "Exception") // as the query protocol has it
		body := "<Error><Type>Sender</Type><Code>" + code + "</Code><Message>" + reason + "</Message></Error>"
		if c.service != "s3" {
			body = "<ErrorResponse>" + body + "<RequestId>denied</RequestId></ErrorResponse>"
		}
		_, _ = io.WriteString(w, body)
	}
}
