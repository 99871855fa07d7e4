package instance

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/ec2rolecreds"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/aws-sdk-go-v2/service/sts/types"
)

// What is asked of STS.
const (
	webIdentityAlgorithm = "ES384"          // what AWS recommends; RS256 is the other
	webIdentitySeconds   = 120              // a token's life: it is shown at once, and STS gives no less than 60
	webIdentityWithin    = 20 * time.Second // retries of the client included
)

// WebIdentityToken returns a JSON Web Token in which STS says, for an audience,
// which instance this is. It is asked for in a region, with the credentials of the
// instance's role and no others that lie about: a token of others names no
// instance. The role needs sts:GetWebIdentityToken, and the account outbound
// identity federation. AWS_ENDPOINT_URL_STS in the environment leads to another
// STS.
func (m *Metadata) WebIdentityToken(ctx context.Context, region, audience string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, webIdentityWithin)
	defer cancel()
	role := ec2rolecreds.New(func(o *ec2rolecreds.Options) { o.Client = m.client })
	cfg, err := config.LoadDefaultConfig(ctx, config.WithRegion(region), config.WithCredentialsProvider(aws.NewCredentialsCache(role)))
	if err != nil {
		return "", fmt.Errorf("web identity token: %w", err)
	}
	answer, err := sts.NewFromConfig(cfg).GetWebIdentityToken(ctx, &sts.GetWebIdentityTokenInput{
		Audience: []string{audience}, SigningAlgorithm: aws.String(webIdentityAlgorithm), DurationSeconds: aws.Int32(webIdentitySeconds),
	})
	var off *types.OutboundWebIdentityFederationDisabledException
	switch {
	case errors.As(err, &off):
		return "", fmt.Errorf("web identity token: the account has outbound identity federation turned off; aws iam enable-outbound-web-identity-federation turns it on: %w", err)
	case err != nil:
		return "", fmt.Errorf("web identity token for audience %q: %w", audience, err)
	case aws.ToString(answer.WebIdentityToken) == "":
		return "", errors.New("web identity token: STS answered without one")
	}
	return *answer.WebIdentityToken, nil
}
