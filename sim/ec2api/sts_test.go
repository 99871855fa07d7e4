package ec2api_test

import (
	"crypto/rand"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/credentials/ec2rolecreds"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	ststypes "github.com/aws/aws-sdk-go-v2/service/sts/types"
	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/skynet-ec2/skynet/sim/cloud"
	"github.com/skynet-ec2/skynet/sim/ec2api"
)

// sts returns the SDK's client of STS, for whoever has the credentials.
func (r *region) sts(of aws.CredentialsProvider) *sts.Client {
	return sts.New(sts.Options{
		Region: "us-east-1", BaseEndpoint: aws.String("http://ec2.test"), HTTPClient: &http.Client{Transport: ec2api.Transport{Handler: r.server}},
		Credentials: of, Retryer: aws.NopRetryer{},
	})
}

func user() aws.CredentialsProvider {
	return credentials.NewStaticCredentialsProvider(ec2api.TestAccessKey, ec2api.TestSecretKey, "")
}

// role returns the credentials that an instance reads of its metadata service.
func (r *region) role(id string) aws.CredentialsProvider {
	return ec2rolecreds.New(func(o *ec2rolecreds.Options) { o.Client = r.metadata(id) })
}

func withProfile(in *ec2.RunInstancesInput) {
	in.IamInstanceProfile = &types.IamInstanceProfileSpecification{Arn: aws.String("arn:aws:iam::123456789012:instance-profile/skynet-worker")}
}

// keys returns the issuer's.
func (r *region) keys() jose.JSONWebKeySet {
	r.Helper()
	var discovery struct {
		Issuer string
		Keys   string `json:"jwks_uri"`
	}
	var set jose.JSONWebKeySet
	for path, into := range map[string]any{"openid-configuration": &discovery, "jwks.json": &set} {
		q, err := http.NewRequestWithContext(r.ctx, "GET", "http://ec2.test/.well-known/"+path, nil)
		if err != nil {
			r.Fatal(err)
		}
		if status, text := r.send(q); status != 200 || json.Unmarshal([]byte(text), into) != nil {
			r.Fatalf("%s: %d %s", path, status, text)
		}
	}
	if discovery.Issuer != issuer || discovery.Keys != issuer+"/.well-known/jwks.json" {
		r.Errorf("%+v", discovery)
	}
	return set
}

const issuer = "http://ec2.test"

// says are the claims of a token.
type says struct {
	jwt.Claims
	AWS map[string]any `json:"https://sts.amazonaws.com/"`
}

func TestWebIdentityToken(t *testing.T) {
	identity, err := ec2api.NewIdentity(rand.Reader, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	play(t, cloud.Config{World: world()}, ec2api.Options{Identity: identity, Issuer: issuer}, func(r *region) {
		got, err := r.run("m1.small", 1, "", withProfile)
		if err != nil {
			r.Fatal(err)
		}
		id, keys := *got[0].InstanceId, r.keys()
		ask := func(of aws.CredentialsProvider, change ...func(*sts.GetWebIdentityTokenInput)) (says, error) {
			r.Helper()
			in := &sts.GetWebIdentityTokenInput{Audience: []string{"skynet:test"}, SigningAlgorithm: aws.String("ES384")}
			for _, f := range change {
				f(in)
			}
			out, err := r.sts(of).GetWebIdentityToken(r.ctx, in)
			if err != nil {
				return says{}, err
			}
			token, err := jwt.ParseSigned(*out.WebIdentityToken, []jose.SignatureAlgorithm{jose.SignatureAlgorithm(*in.SigningAlgorithm)})
			if err != nil {
				r.Fatal(err)
			}
			var s says
			if err := token.Claims(keys, &s); err != nil {
				r.Fatal(err)
			}
			if !s.Expiry.Time().Equal(*out.Expiration) || s.ID == "" || s.Issuer != issuer {
				r.Errorf("%+v, which ends at %s", s, out.Expiration)
			}
			return s, nil
		}
		s, err := ask(r.role(id))
		if err != nil {
			r.Fatal(err)
		}
		if len(s.Audience) != 1 || s.Audience[0] != "skynet:test" || s.Subject != "arn:aws:iam::123456789012:role/skynet-worker" ||
			!s.IssuedAt.Time().Equal(time.Now().Truncate(time.Second)) || s.Expiry.Time().Sub(s.IssuedAt.Time()) != 5*time.Minute {
			r.Errorf("%+v", s)
		}
		for claim, want := range map[string]string{
			"aws_account": "123456789012", "source_region": "us-east-1", "principal_id": s.Subject, "ec2_role_delivery": "2.0",
			"ec2_source_instance_arn":          "arn:aws:ec2:us-east-1:123456789012:instance/" + id,
			"ec2_instance_source_private_ipv4": *got[0].PrivateIpAddress,
		} {
			if s.AWS[claim] != want {
				r.Errorf("%s: %v, want %s", claim, s.AWS[claim], want)
			}
		}
		s, err = ask(user(), func(in *sts.GetWebIdentityTokenInput) {
			in.Audience, in.SigningAlgorithm, in.DurationSeconds = []string{"a", "b"}, aws.String("RS256"), aws.Int32(60)
			in.Tags = []ststypes.Tag{{Key: aws.String("ec2_source_instance_arn"), Value: aws.String("i-0bad")}}
		})
		if err != nil || len(s.Audience) != 2 || s.Expiry.Time().Sub(s.IssuedAt.Time()) != time.Minute || s.AWS["ec2_source_instance_arn"] != nil ||
			s.AWS["request_tags"].(map[string]any)["ec2_source_instance_arn"] != "i-0bad" || !strings.HasSuffix(s.Subject, ":user/"+ec2api.TestAccessKey) {
			r.Errorf("a user: %+v, %v", s, err)
		}

		role, err := r.role(id).Retrieve(r.ctx)
		if err != nil {
			r.Fatal(err)
		}
		as := func(access, secret, session string) aws.CredentialsProvider {
			return credentials.NewStaticCredentialsProvider(access, secret, session)
		}
		plain := r.mustRun("m1.small", 1, "")[0]
		if _, err := r.role(plain).Retrieve(r.ctx); err == nil {
			r.Error("an instance without a profile has a role")
		}
		for name, c := range map[string]struct {
			of     aws.CredentialsProvider
			change func(*sts.GetWebIdentityTokenInput)
			code   string
		}{
			"an unknown algorithm": {user(), func(in *sts.GetWebIdentityTokenInput) { in.SigningAlgorithm = aws.String("HS256") }, "ValidationError"},
			"too short a life":     {user(), func(in *sts.GetWebIdentityTokenInput) { in.DurationSeconds = aws.Int32(59) }, "InvalidParameterValue"},
			"no audience":          {user(), func(in *sts.GetWebIdentityTokenInput) { in.Audience = []string{} }, "ValidationError"},
			"a huge audience":      {user(), func(in *sts.GetWebIdentityTokenInput) { in.Audience = []string{strings.Repeat("a", 1001)} }, "ValidationError"},
			"no session token":     {as(role.AccessKeyID, role.SecretAccessKey, ""), nil, "AuthFailure"},
			"a forged one":         {as(role.AccessKeyID, role.SecretAccessKey, "cm9sZSBpLTEgMi4wIDE="), nil, "InvalidClientTokenId"},
			"one that is none":     {as(role.AccessKeyID, role.SecretAccessKey, "?"), nil, "InvalidClientTokenId"},
			"another's":            {as(ec2api.TestAccessKey, ec2api.TestSecretKey, role.SessionToken), nil, "InvalidClientTokenId"},
			"another secret":       {as(role.AccessKeyID, ec2api.TestSecretKey, role.SessionToken), nil, "AuthFailure"},
		} {
			if c.change == nil {
				c.change = func(*sts.GetWebIdentityTokenInput) {}
			}
			if _, err := ask(c.of, c.change); codeOf(err) != c.code {
				r.Errorf("%s: %v, want %s", name, err, c.code)
			}
		}

		// who an instance is, and what its role may not
		who, err := r.sts(r.role(id)).GetCallerIdentity(r.ctx, &sts.GetCallerIdentityInput{})
		if err != nil || *who.Arn != "arn:aws:sts::123456789012:assumed-role/skynet-worker/"+id {
			r.Errorf("%+v %v", who, err)
		}
		fleet := ec2.New(ec2.Options{
			Region: "us-east-1", BaseEndpoint: aws.String("http://ec2.test"), Credentials: r.role(id), Retryer: aws.NopRetryer{},
			HTTPClient: &http.Client{Transport: ec2api.Transport{Handler: r.server}},
		})
		_, err = fleet.TerminateInstances(r.ctx, &ec2.TerminateInstancesInput{InstanceIds: []string{id}})
		r.wants(err, "UnauthorizedOperation")

		time.Sleep(6 * time.Hour)
		_, err = ask(as(role.AccessKeyID, role.SecretAccessKey, role.SessionToken))
		r.wants(err, "ExpiredToken")
		fresh, err := r.role(id).Retrieve(r.ctx)
		if err != nil {
			r.Fatal(err)
		}
		if _, err := r.TerminateInstances(r.ctx, &ec2.TerminateInstancesInput{InstanceIds: []string{id}}); err != nil {
			r.Fatal(err)
		}
		time.Sleep(5 * time.Minute)
		_, err = ask(as(fresh.AccessKeyID, fresh.SecretAccessKey, fresh.SessionToken))
		r.wants(err, "InvalidClientTokenId")
	})
}

// Where nobody issues them there are no tokens, and no keys.
func TestNoWebIdentityTokens(t *testing.T) {
	identity, err := ec2api.NewIdentity(rand.Reader, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	for name, opt := range map[string]ec2api.Options{"no issuer": {Identity: identity}, "no identity": {Issuer: issuer}} {
		t.Run(name, func(t *testing.T) {
			play(t, cloud.Config{World: world()}, opt, func(r *region) {
				_, err := r.sts(user()).GetWebIdentityToken(r.ctx, &sts.GetWebIdentityTokenInput{Audience: []string{"a"}, SigningAlgorithm: aws.String("RS256")})
				r.wants(err, "OutboundWebIdentityFederationDisabledException")
				q, err := http.NewRequestWithContext(r.ctx, "GET", "http://ec2.test/.well-known/jwks.json", nil)
				if err != nil {
					r.Fatal(err)
				}
				if status, _ := r.send(q); status != 404 {
					r.Errorf("keys: %d", status)
				}
			})
		})
	}
}

// Credentials of the metadata service's first version are told from others.
func TestRoleDelivery(t *testing.T) {
	identity, err := ec2api.NewIdentity(rand.Reader, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	play(t, cloud.Config{World: world()}, ec2api.Options{Identity: identity, Issuer: issuer}, func(r *region) {
		lax := r.mustRun("m1.small", 1, "", withProfile, func(in *ec2.RunInstancesInput) {
			in.MetadataOptions = &types.InstanceMetadataOptionsRequest{HttpTokens: types.HttpTokensStateOptional}
		})[0]
		q, err := http.NewRequestWithContext(r.ctx, "GET", "http://ec2.test/_imds/"+lax+"/latest/meta-data/iam/security-credentials/skynet-worker", nil)
		if err != nil {
			r.Fatal(err)
		}
		var role struct{ AccessKeyID, SecretAccessKey, Token string }
		if status, text := r.send(q); status != 200 || json.Unmarshal([]byte(text), &role) != nil {
			r.Fatalf("%d %s", status, text)
		}
		out, err := r.sts(credentials.NewStaticCredentialsProvider(role.AccessKeyID, role.SecretAccessKey, role.Token)).GetWebIdentityToken(r.ctx,
			&sts.GetWebIdentityTokenInput{Audience: []string{"a"}, SigningAlgorithm: aws.String("RS256")})
		if err != nil {
			r.Fatal(err)
		}
		token, err := jwt.ParseSigned(*out.WebIdentityToken, []jose.SignatureAlgorithm{jose.RS256})
		if err != nil {
			r.Fatal(err)
		}
		var s says
		if err := token.Claims(r.keys(), &s); err != nil || s.AWS["ec2_role_delivery"] != "1.0" {
			r.Errorf("%+v, %v", s, err)
		}
	})
}
