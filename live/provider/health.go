package provider

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// Health is the AWS Health API: open issues of EC2 that concern the account. It
// answers accounts whose support plan has it.
type Health struct {
	Account aws.Config
	Region  string // whose events count
	URL     string // "": Amazon's
}

const (
	healthURL    = "https://health.us-east-1.amazonaws.com/" // one place serves all regions
	healthRegion = "us-east-1"
)

// Look is of Source. One call is signed and made without the service's client,
// which the module would otherwise carry for it alone.
func (h Health) Look(ctx context.Context, now time.Time) ([]Trouble, error) {
	body, err := json.Marshal(map[string]any{
		"maxResults": 100,
		"filter": map[string][]string{
			"services": {"EC2"}, "regions": {h.Region, "global"}, "eventStatusCodes": {"open"}, "eventTypeCategories": {"issue"},
		},
	})
	if err != nil {
		return nil, err
	}
	url := h.URL
	if url == "" {
		url = healthURL
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/x-amz-json-1.1")
	req.Header.Set("X-Amz-Target", "AWSHealth_20160804.DescribeEvents")
	if err := h.sign(ctx, req, body, now); err != nil {
		return nil, err
	}
	text, err := answer(nil, req)
	if err != nil {
		return nil, err
	}
	var out struct {
		Events []struct {
			Code   string  `json:"eventTypeCode"`
			Region string  `json:"region"`
			Start  float64 `json:"startTime"` // seconds since 1970
			Status string  `json:"statusCode"`
		} `json:"events"`
	}
	if err := json.Unmarshal(text, &out); err != nil {
		return nil, fmt.Errorf("AWS Health: %w", err)
	}
	var all []Trouble
	for _, e := range out.Events {
		if e.Status == "open" {
			all = append(all, Trouble{clean(e.Code + " in " + e.Region), time.UnixMilli(int64(e.Start * 1000)).UTC()})
		}
	}
	sortTrouble(all)
	return all, nil
}

// sign signs a call.
func (h Health) sign(ctx context.Context, req *http.Request, body []byte, now time.Time) error {
	if h.Account.Credentials == nil {
		return fmt.Errorf("AWS Health: no credentials")
	}
	keys, err := h.Account.Credentials.Retrieve(ctx)
	if err != nil {
		return fmt.Errorf("AWS Health: %w", err)
	}
	sum := sha256.Sum256(body)
	return v4.NewSigner().SignHTTP(ctx, keys, req, hex.EncodeToString(sum[:]), "health", healthRegion, now)
}
