package ec2api

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"net/http"
	"time"

	"github.com/skynet-ec2/skynet/sim/cloud"
)

const stsNamespace = "https://sts.amazonaws.com/doc/2011-06-15/"

// stsActions by name.
var stsActions = map[string]func(s *Server, w http.ResponseWriter, who caller, p params){
	"GetCallerIdentity":   (*Server).callerIdentity,
	"GetWebIdentityToken": (*Server).webIdentityToken,
}

// stsFailure is an error of STS.
type stsFailure struct {
	XMLName   xml.Name `xml:"ErrorResponse"`
	NS        string   `xml:"xmlns,attr"`
	Type      string   `xml:"Error>Type"`
	Code      string   `xml:"Error>Code"`
	Message   string   `xml:"Error>Message"`
	RequestID string   `xml:"RequestId"`
}

// refuseSTS answers with an error.
func (s *Server) refuseSTS(w http.ResponseWriter, action string, e *cloud.Error) {
	s.count(action, e.Code)
	reply(w, e.Status, stsFailure{NS: stsNamespace, Type: "Sender", Code: e.Code, Message: e.Message, RequestID: s.requestID()})
}

func (s *Server) callerIdentity(w http.ResponseWriter, who caller, _ params) {
	s.count("GetCallerIdentity", "")
	var account, arn string
	s.With(func(c *cloud.Cloud) { account, arn = c.Account(), who.sessionARN(c) })
	reply(w, 200, struct {
		XMLName   xml.Name `xml:"GetCallerIdentityResponse"`
		NS        string   `xml:"xmlns,attr"`
		Arn       string   `xml:"GetCallerIdentityResult>Arn"`
		UserID    string   `xml:"GetCallerIdentityResult>UserId"`
		Account   string   `xml:"GetCallerIdentityResult>Account"`
		RequestID string   `xml:"ResponseMetadata>RequestId"`
	}{NS: stsNamespace, Arn: arn, UserID: "AIDASKYNETEC2SIMUSER", Account: account, RequestID: s.requestID()})
}

// Bounds of GetWebIdentityToken, as STS documents them.
const (
	audiencesMax     = 10
	audienceBytesMax = 1000
	tokenSecondsMin  = 60
	tokenSeconds     = 300 // where the call names none
	tokenSecondsMax  = 3600
)

// webIdentityToken answers with a token that says who the caller is. Its times are
// those of the clock that signatures are made by: who verifies it lives by that.
func (s *Server) webIdentityToken(w http.ResponseWriter, who caller, p params) {
	const name = "GetWebIdentityToken"
	audience, algorithm := p.list("Audience.member"), p.text("SigningAlgorithm")
	seconds := p.whole("DurationSeconds", tokenSeconds, tokenSecondsMin, tokenSecondsMax)
	tags := map[string]string{}
	for _, t := range p.each("Tags.member") {
		tags[t.text("Key")] = t.text("Value")
	}
	if len(audience) < 1 || len(audience) > audiencesMax {
		p.fail("ValidationError", "Member must have length from 1 to %d: audience", audiencesMax)
	}
	for _, a := range audience {
		if a == "" || len(a) > audienceBytesMax {
			p.fail("ValidationError", "Member must have length from 1 to %d: audience", audienceBytesMax)
		}
	}
	if s.opt.Issuer == "" || s.opt.Identity == nil {
		p.fail("OutboundWebIdentityFederationDisabledException", "Outbound web identity federation is not enabled for this account.")
	}
	if e := p.finish(); e != nil {
		s.refuseSTS(w, name, e)
		return
	}
	now := s.opt.SignatureClock().Truncate(time.Second)
	until := now.Add(time.Duration(seconds) * time.Second)
	id := s.requestID()
	claims := map[string]any{
		"iss": s.opt.Issuer, "iat": now.Unix(), "exp": until.Unix(), "jti": id, "aud": audience,
	}
	if len(audience) == 1 {
		claims["aud"] = audience[0]
	}
	s.With(func(c *cloud.Cloud) {
		own := map[string]any{"aws_account": c.Account(), "source_region": c.Region(), "principal_id": who.arn(c)}
		if in := c.Instance(who.instance); in != nil {
			own["ec2_source_instance_arn"] = fmt.Sprintf("arn:aws:ec2:%s:%s:instance/%s", c.Region(), c.Account(), in.ID)
			own["ec2_instance_source_vpc"] = c.VPC()
			own["ec2_instance_source_private_ipv4"] = in.Address
			own["ec2_role_delivery"] = who.delivery
		}
		if len(tags) > 0 {
			own["request_tags"] = tags
		}
		claims["sub"], claims["https://sts.amazonaws.com/"] = who.arn(c), own
	})
	token, ok := s.opt.Identity.webIdentityToken(algorithm, claims)
	if !ok {
		s.refuseSTS(w, name, &cloud.Error{Code: "ValidationError", Message: "Value '" + algorithm + "' at 'signingAlgorithm' failed to satisfy constraint: Member must satisfy enum value set: [RS256, ES384]", Status: 400})
		return
	}
	s.count(name, "")
	reply(w, 200, struct {
		XMLName    xml.Name `xml:"GetWebIdentityTokenResponse"`
		NS         string   `xml:"xmlns,attr"`
		Token      string   `xml:"GetWebIdentityTokenResult>WebIdentityToken"`
		Expiration string   `xml:"GetWebIdentityTokenResult>Expiration"`
		RequestID  string   `xml:"ResponseMetadata>RequestId"`
	}{NS: stsNamespace, Token: token, Expiration: until.UTC().Format(time.RFC3339), RequestID: id})
}

// The paths below its issuer where an account publishes what verifiers need
// (OpenID Connect Discovery 1.0).
const (
	discoveryPath = "/.well-known/openid-configuration"
	keysPath      = "/.well-known/jwks.json"
)

func (s *Server) issuerRoutes() {
	if s.opt.Issuer == "" || s.opt.Identity == nil {
		return
	}
	for path, page := range map[string]any{ // map order: each route stands by itself
		keysPath: s.opt.Identity.jwks(),
		discoveryPath: map[string]any{
			"issuer": s.opt.Issuer, "jwks_uri": s.opt.Issuer + keysPath, "response_types_supported": []string{"id_token"},
			"subject_types_supported": []string{"public"}, "id_token_signing_alg_values_supported": []string{"RS256", "ES384"},
		},
	} {
		text, err := json.Marshal(page)
		if err != nil {
			panic(err) // public keys and plain strings
		}
		s.mux.HandleFunc("GET "+path, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.Write(text)
		})
	}
}
