// Package instance tells a worker what its instance is and what will become of
// it: identity, user-data and notices of EC2's metadata service (IMDSv2).
package instance

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// Metadata is the metadata service of this instance. AWS_EC2_METADATA_SERVICE_ENDPOINT
// in the environment leads to another one.
type Metadata struct {
	client *imds.Client
}

// Open prepares a client. It makes no call.
func Open(ctx context.Context) (*Metadata, error) {
	cfg, err := config.LoadDefaultConfig(ctx, config.WithRegion("us-east-1")) // of no matter here, and it spares a call
	if err != nil {
		return nil, fmt.Errorf("instance metadata: %w", err)
	}
	client := imds.NewFromConfig(cfg, func(o *imds.Options) {
		o.EnableFallback = aws.FalseTernary // IMDSv1 is open to any request that a job can be led to make
		o.ClientEnableState = imds.ClientEnabled
	})
	return &Metadata{client}, nil
}

// An Identity is who the instance is.
type Identity struct {
	ID         string
	Type       string
	Zone       string
	Region     string
	Market     string    // "on-demand" or "spot"; "" is unknown
	LaunchedAt time.Time // when EC2 accepted the launch

	Document  string // exactly as the service gave it
	Signature string // of the document: PKCS7, base64
}

// metadataMax bounds what is read of one answer, in bytes. User-data has 16 KiB
// at most.
const metadataMax = 64 << 10

// Identity returns who the instance is, with the proof.
func (m *Metadata) Identity(ctx context.Context) (Identity, error) {
	document, err := m.dynamic(ctx, "instance-identity/document")
	if err != nil {
		return Identity{}, err
	}
	var d imds.InstanceIdentityDocument
	if err := json.Unmarshal([]byte(document), &d); err != nil {
		return Identity{}, fmt.Errorf("instance metadata: identity document: %w", err)
	}
	if d.InstanceID == "" {
		return Identity{}, errors.New("instance metadata: identity document: it names no instance")
	}
	i := Identity{
		ID: d.InstanceID, Type: d.InstanceType, Zone: d.AvailabilityZone, Region: d.Region, LaunchedAt: d.PendingTime, Document: document,
	}
	i.Signature, err = m.dynamic(ctx, "instance-identity/rsa2048")
	if errors.Is(err, errNothing) {
		i.Signature, err = m.dynamic(ctx, "instance-identity/signature")
	}
	if err != nil && !errors.Is(err, errNothing) {
		return Identity{}, err
	}
	i.Signature = strings.TrimSpace(i.Signature)
	if market, err := m.read(ctx, "instance-life-cycle"); err == nil && (market == "spot" || market == "on-demand") {
		i.Market = market
	}
	return i, nil
}

// errNothing is returned where the service has nothing under a path.
var errNothing = errors.New("nothing there")

func (m *Metadata) read(ctx context.Context, path string) (string, error) {
	out, err := m.client.GetMetadata(ctx, &imds.GetMetadataInput{Path: path})
	if err != nil {
		return "", explain("meta-data/"+path, err)
	}
	return text("meta-data/"+path, out.Content)
}

func (m *Metadata) dynamic(ctx context.Context, path string) (string, error) {
	out, err := m.client.GetDynamicData(ctx, &imds.GetDynamicDataInput{Path: path})
	if err != nil {
		return "", explain("dynamic/"+path, err)
	}
	return text("dynamic/"+path, out.Content)
}

func text(path string, r io.ReadCloser) (string, error) {
	defer r.Close()
	b, err := io.ReadAll(io.LimitReader(r, metadataMax+1))
	if err != nil {
		return "", fmt.Errorf("instance metadata: %s: %w", path, err)
	}
	if len(b) > metadataMax {
		return "", fmt.Errorf("instance metadata: %s: more than %d bytes", path, metadataMax)
	}
	return string(b), nil
}

func explain(path string, err error) error {
	var answer *smithyhttp.ResponseError
	if errors.As(err, &answer) && answer.HTTPStatusCode() == http.StatusNotFound {
		err = errNothing
	}
	return fmt.Errorf("instance metadata: %s: %w", path, err)
}
