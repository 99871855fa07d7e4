package ec2api

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/skynet-ec2/skynet/policy/draw"
	"github.com/skynet-ec2/skynet/sim/cloud"
)

// bodyMax bounds a request: 16 KB of user data and a thousand ids fit.
const bodyMax = 1 << 20

// An action is what a call may ask for.
type action struct {
	// changes: it draws on the bucket of calls that change something.
	changes bool
	// narrow reports whether a list names what it wants or takes a page at a time;
	// nil: always.
	narrow func(params) bool
	// do carries the call out and returns the fields of its answer. cut: the client
	// will not get it.
	do func(c *cloud.Cloud, p params) (answer any, cut bool, err *cloud.Error)
}

// actions by name.
var actions = map[string]action{
	"RunInstances":                   {changes: true, do: runInstances},
	"DescribeInstances":              {narrow: pagedOrFiltered, do: describeInstances},
	"DescribeInstanceStatus":         {narrow: pagedOrFiltered, do: describeInstanceStatus},
	"TerminateInstances":             {changes: true, do: terminateInstances},
	"CreateTags":                     {changes: true, do: createTags},
	"DeleteTags":                     {changes: true, do: deleteTags},
	"DescribeInstanceTypes":          {do: describeInstanceTypes},
	"DescribeSpotPriceHistory":       {do: describeSpotPriceHistory},
	"CreateFleet":                    {changes: true, do: createFleet},
	"DescribeFleets":                 {do: describeFleets},
	"CreateLaunchTemplate":           {changes: true, do: createLaunchTemplate},
	"CreateLaunchTemplateVersion":    {changes: true, do: createLaunchTemplateVersion},
	"DescribeLaunchTemplates":        {do: describeLaunchTemplates},
	"DescribeLaunchTemplateVersions": {do: describeLaunchTemplateVersions},
	"DescribeSubnets":                {do: describeSubnets},
	"DescribeImages":                 {do: describeImages},
	"DescribeAvailabilityZones":      {do: describeAvailabilityZones},
}

// query answers a call of EC2 or STS.
func (s *Server) query(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, bodyMax))
	if err != nil {
		s.refuse(w, "", &cloud.Error{Code: "RequestEntityTooLarge", Message: "The request is too large.", Status: 413})
		return
	}
	values := r.URL.Query()
	form, malformed := url.ParseQuery(string(body))
	for key, v := range form { // map order: each is added by itself
		values[key] = append(values[key], v...)
	}
	name := values.Get("Action")
	refuse := s.refuse
	ofSTS, isSTS := stsActions[name]
	if isSTS {
		refuse = s.refuseSTS
	}
	who, e := s.verify(r, body)
	if e != nil {
		refuse(w, "", e)
		return
	}
	if malformed != nil {
		refuse(w, "", &cloud.Error{Code: "MalformedQueryString", Message: "The query string contains a syntax error.", Status: 400})
		return
	}
	if isSTS {
		ofSTS(s, w, who, newParams(values))
		return
	}
	act, known := actions[name]
	switch {
	case name == "":
		s.refuse(w, "", &cloud.Error{Code: "MissingAction", Message: "The request must contain the parameter Action", Status: 400})
	case !known:
		s.refuse(w, "", &cloud.Error{Code: "InvalidAction", Message: fmt.Sprintf("The action %s is not valid for this web service.", name), Status: 400})
	case who.instance != "":
		// a worker's role may nothing that concerns the fleet
		s.refuse(w, name, &cloud.Error{Code: "UnauthorizedOperation", Message: "You are not authorized to perform this operation.", Status: 403})
	default:
		s.call(w, name, act, newParams(values))
	}
}

// call carries out an action with the faults that hit it.
func (s *Server) call(w http.ResponseWriter, name string, act action, p params) {
	var fault *cloud.ActionFault
	s.With(func(c *cloud.Cloud) { fault = c.Fault(name) })
	if fault == nil {
		fault = &cloud.ActionFault{}
	}
	// EC2 does not stop when its client leaves, so the wait heeds no context
	s.sleep(fault.Delay)

	var answer any
	var cut bool
	var e *cloud.Error
	injected := fault.Err()
	if injected == nil && !fault.Lost || fault.After {
		s.logged(change{Action: name, Params: p.values}, func() (did bool) {
			s.With(func(c *cloud.Cloud) {
				if e = c.ScenarioFails(name); e != nil {
					return
				}
				if e = c.Admit(name, act.changes, act.narrow == nil || act.narrow(p)); e != nil {
					return
				}
				answer, cut, e = act.do(c, p)
				did = act.changes
			})
			return did
		})
	}
	if injected != nil {
		e = injected
	}
	switch {
	case cut && e == nil, fault.Lost:
		s.count(name, "(reply lost)")
		panic(http.ErrAbortHandler)
	case e != nil:
		s.refuse(w, name, e)
	default:
		s.count(name, "")
		reply(w, 200, response{xml.Name{Local: name + "Response"}, ec2Namespace, s.requestID(), fields(answer)})
	}
}

// sleep waits on the server's clock.
func (s *Server) sleep(d time.Duration) {
	if d > 0 {
		done := make(chan struct{})
		s.opt.Clock.AfterFunc(d, func() { close(done) })
		<-done
	}
}

const ec2Namespace = "http://ec2.amazonaws.com/doc/2016-11-15/"

// response is the answer of an action of EC2.
type response struct {
	XMLName   xml.Name
	NS        string `xml:"xmlns,attr"`
	RequestID string `xml:"requestId"`
	Fields    []byte `xml:",innerxml"`
}

// fields returns the elements of an answer without one around them.
func fields(answer any) []byte {
	var b bytes.Buffer
	if err := xml.NewEncoder(&b).EncodeElement(answer, xml.StartElement{Name: xml.Name{Local: "x"}}); err != nil {
		panic(err) // every answer is of this package's own types
	}
	return bytes.TrimSuffix(bytes.TrimPrefix(b.Bytes(), []byte("<x>")), []byte("</x>"))
}

// failure is an error of EC2.
type failure struct {
	XMLName   xml.Name `xml:"Response"`
	Code      string   `xml:"Errors>Error>Code"`
	Message   string   `xml:"Errors>Error>Message"`
	RequestID string   `xml:"RequestID"`
}

// refuse answers with an error.
func (s *Server) refuse(w http.ResponseWriter, action string, e *cloud.Error) {
	s.count(action, e.Code)
	reply(w, e.Status, failure{Code: e.Code, Message: e.Message, RequestID: s.requestID()})
}

func reply(w http.ResponseWriter, status int, v any) {
	var b bytes.Buffer
	b.WriteString(xml.Header)
	if err := xml.NewEncoder(&b).Encode(v); err != nil {
		panic(err) // every answer is of this package's own types
	}
	w.Header().Set("Content-Type", "text/xml;charset=UTF-8")
	w.Header().Set("Content-Length", strconv.Itoa(b.Len()))
	w.WriteHeader(status)
	w.Write(b.Bytes())
}

func (s *Server) count(action, code string) {
	if action == "" {
		action = "(refused)"
	}
	s.mu.Lock()
	n := s.calls[action]
	if n == nil {
		n = &callCount{Errors: map[string]int64{}}
		s.calls[action] = n
	}
	n.Calls++
	if code != "" {
		n.Errors[code]++
	}
	s.mu.Unlock()
	if s.opt.Observe != nil {
		s.opt.Observe(action, code)
	}
}

// requestID numbers the answers.
func (s *Server) requestID() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests++
	x, y := draw.Mix(uint64(s.requests)), draw.Mix(^uint64(s.requests))
	return fmt.Sprintf("%08x-%04x-%04x-%04x-%012x", x>>32, x>>16&0xffff, x&0xffff, y>>48, y&0xffffffffffff)
}

func itoa(n int64) string { return strconv.FormatInt(n, 10) }
