package tune

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
)

// Shard is what the tasks of one part of a plan came to.
type Shard struct {
	Format int `json:"skynet_shard"`
	// Plan is the identity of the plan.
	Plan string `json:"plan"`
	// Shard and Of: part Shard, from 0, of Of.
	Shard int `json:"shard"`
	Of    int `json:"of"`
	// SHA256 of the results as JSON: a shard that was damaged on its way is noticed.
	SHA256 string `json:"sha256"`
	// Results in the order of the plan's tasks.
	Results []Metrics `json:"results"`
}

// sum returns the SHA-256 of results.
func sum(results []Metrics) string {
	text, err := json.Marshal(results)
	if err != nil {
		return ""
	}
	hash := sha256.Sum256(text)
	return hex.EncodeToString(hash[:])
}

// ShardOf returns the shard of results of part i of a plan.
func ShardOf(p *Plan, i int, results []Metrics) *Shard {
	return &Shard{Format: planFormat, Plan: p.ID, Shard: i, Of: p.Shards, SHA256: sum(results), Results: results}
}

// Write writes the shard as JSON.
func (s *Shard) Write(w io.Writer) error { return writeJSON(w, s) }

// ReadShard reads part i of a plan. A shard of another plan, of another part, or
// with a result too many or too few is refused. name is what errors call it.
func ReadShard(r io.Reader, name string, p *Plan, i int) (*Shard, error) {
	var s Shard
	if err := decode(r, &s); err != nil {
		return nil, &InputError{fmt.Sprintf("%s: broken shard: %v", name, err)}
	}
	from, to := p.Part(i)
	problem := ""
	switch {
	case s.Format != planFormat:
		problem = fmt.Sprintf("not a shard of format %d", planFormat)
	case s.Plan != p.ID:
		problem = fmt.Sprintf("a shard of another plan: of %.12s, not of %.12s", s.Plan, p.ID)
	case s.Shard != i || s.Of != p.Shards:
		problem = fmt.Sprintf("shard %d/%d, not %d/%d", s.Shard, s.Of, i, p.Shards)
	case s.SHA256 != sum(s.Results):
		problem = "broken shard: its results do not fit their sha256: they were changed or damaged"
	case len(s.Results) != to-from:
		problem = fmt.Sprintf("broken shard: %d results, the plan has %d tasks for it", len(s.Results), to-from)
	}
	if problem != "" {
		return nil, &InputError{name + ": " + problem}
	}
	return &s, nil
}
