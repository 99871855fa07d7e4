package access

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/skynet-ec2/skynet/live/api"
)

// Facts is a small durable store: that of the queue, so that a standby which
// takes over knows every token.
type Facts interface {
	SetFact(ctx context.Context, kind, key string, value []byte) error // nil deletes
	Facts(kind string) map[string][]byte
}

// factKind is under what the tokens made at run time are kept: hash → record.
const factKind = "token"

// Options say how a Keeper keeps tokens. File and Cluster are required.
type Options struct {
	File      string // token file; read again when it changes
	Cluster   string // that the tokens are for
	Log       *slog.Logger
	Bootstrap []Verifier    // kinds of bootstrap credential that are accepted; none: none
	WorkerFor time.Duration // how long a minted worker token lasts; default 12 h
}

// A Keeper knows every good token. It is safe for concurrent use.
type Keeper struct {
	opt Options

	mu     sync.RWMutex
	file   map[Hash]kept // from the file
	minted map[Hash]kept // made at run time
	stamp  fileStamp
	facts  Facts // nil until Serve
}

// kept is a good token.
type kept struct {
	hash   Hash
	caller Caller
	boot   string // of a minted worker token: the boot it was made for
	since  time.Time
}

// fileStamp tells whether a file is another than before.
type fileStamp struct {
	size     int64
	modified time.Time
}

func stampOf(name string) (fileStamp, error) {
	info, err := os.Stat(name)
	if err != nil {
		return fileStamp{}, err
	}
	return fileStamp{info.Size(), info.ModTime()}, nil
}

// Open reads the token file. It fails if the file is wrong or not there.
func Open(opt Options) (*Keeper, error) {
	if opt.WorkerFor == 0 {
		opt.WorkerFor = 12 * time.Hour
	}
	k := &Keeper{opt: opt, minted: map[Hash]kept{}}
	if err := k.reload(); err != nil {
		return nil, err
	}
	return k, nil
}

// reload reads the token file.
func (k *Keeper) reload() error {
	stamp, err := stampOf(k.opt.File) // before reading: a change meanwhile is seen next time
	if err != nil {
		return err
	}
	entries, err := ReadFile(k.opt.File)
	if err != nil {
		return err
	}
	if len(entries) == 0 {
		return &FileError{k.opt.File, 1, "holds no token: nobody could call"}
	}
	file := make(map[Hash]kept, len(entries))
	plain := 0
	for _, e := range entries {
		file[e.Hash] = kept{hash: e.Hash, caller: e.Caller, since: stamp.modified}
		if e.Plain != "" {
			plain++
		}
	}
	k.mu.Lock()
	k.file, k.stamp = file, stamp
	k.mu.Unlock()
	k.opt.Log.Info("tokens read", "file", k.opt.File, "tokens", len(entries), "readable", plain)
	return nil
}

// Watch reads the token file again whenever it has changed, and not since the
// look before, so that nobody reads half of what is being written; until ctx
// ends. A file that is wrong changes nothing and is logged: the tokens of before
// stay good.
func (k *Keeper) Watch(ctx context.Context, every time.Duration) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	var last, failed fileStamp // as it was at the look before; as it was when it was wrong
	gone := false
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		stamp, err := stampOf(k.opt.File)
		if err != nil {
			if !gone {
				k.opt.Log.Error("tokens not read again; those of before stay good", "err", err)
			}
			gone = true
			continue
		}
		gone = false
		settled := stamp == last
		last = stamp
		if !settled || stamp == k.stamp || stamp == failed {
			continue
		}
		if err := k.reload(); err != nil {
			k.opt.Log.Error("tokens not read again; those of before stay good", "err", err)
			failed = stamp
		}
	}
}

// Serve gives the keeper the store of the tokens made at run time, once this
// process leads, and reads what is there.
func (k *Keeper) Serve(facts Facts) {
	minted := map[Hash]kept{}
	for key, value := range facts.Facts(factKind) {
		var record mintedRecord
		h, err := parseHash(hashPrefix + key)
		if err == nil {
			err = json.Unmarshal(value, &record)
		}
		if err != nil {
			k.opt.Log.Error("a token made at run time is not readable; it is not good", "err", err)
			continue
		}
		minted[h] = record.kept(h)
	}
	k.mu.Lock()
	k.facts, k.minted = facts, minted
	k.mu.Unlock()
}

// mintedRecord is how a token made at run time is stored, beside its hash.
type mintedRecord struct {
	Role       api.Role  `json:"role"`
	Name       string    `json:"name,omitempty"`
	Tenant     string    `json:"tenant,omitempty"`
	InstanceID string    `json:"instance_id,omitempty"`
	Boot       string    `json:"boot_id,omitempty"`
	Since      time.Time `json:"since"`
	Until      time.Time `json:"until,omitzero"`
}

func (r mintedRecord) kept(h Hash) kept {
	return kept{hash: h, boot: r.Boot, since: r.Since, caller: Caller{
		ID: h.ID(), Role: r.Role, Name: r.Name, Tenant: r.Tenant, InstanceID: r.InstanceID, ExpiresAt: r.Until,
	}}
}

// Caller returns who holds a token; ok is false if the token is not good at now.
func (k *Keeper) Caller(token string, now time.Time) (c Caller, ok bool) {
	if token == "" || len(token) > 4*api.NameMax {
		return Caller{}, false
	}
	return k.CallerOf(HashOf(token), now)
}

// CallerOf is Caller for those who kept the hash of a token alone.
func (k *Keeper) CallerOf(h Hash, now time.Time) (c Caller, ok bool) {
	k.mu.RLock()
	found, there := k.file[h]
	if !there {
		found, there = k.minted[h]
	}
	k.mu.RUnlock()
	if !there || !found.hash.equal(h) || found.expired(now) {
		return Caller{}, false
	}
	return found.caller, true
}

func (t kept) expired(now time.Time) bool {
	return !t.caller.ExpiresAt.IsZero() && !now.Before(t.caller.ExpiresAt)
}

// Make makes a token and stores its hash. A worker's token made for a boot
// replaces those that the instance got for other boots: whoever holds a stolen
// one, or whose was stolen, is refused from now on and shows in the log.
func (k *Keeper) Make(ctx context.Context, c Caller, boot string, now time.Time) (api.NewToken, error) {
	if err := checkBinding(c); err != nil {
		return api.NewToken{}, &api.Error{Code: api.CodeInvalid, Field: strings.Split(err.Error(), ":")[0], Message: err.Error()}
	}
	k.mu.RLock()
	facts := k.facts
	k.mu.RUnlock()
	if facts == nil {
		return api.NewToken{}, &api.Error{Code: api.CodeNotLeader, Message: "this queue does not lead yet"}
	}
	token := NewToken(c.Role)
	h := HashOf(token)
	record := mintedRecord{c.Role, c.Name, c.Tenant, c.InstanceID, boot, now.UTC(), c.ExpiresAt}
	text, err := json.Marshal(record)
	if err != nil {
		return api.NewToken{}, err
	}
	if err := facts.SetFact(ctx, factKind, hex.EncodeToString(h[:]), text); err != nil {
		return api.NewToken{}, err
	}
	k.mu.Lock()
	k.minted[h] = record.kept(h)
	var gone []Hash
	for other, t := range k.minted {
		if t.expired(now) || boot != "" && other != h && t.boot != "" && t.boot != boot && t.caller.InstanceID == c.InstanceID {
			gone = append(gone, other)
		}
	}
	k.mu.Unlock()
	for _, other := range gone {
		if err := k.forget(ctx, other); err != nil {
			return api.NewToken{}, err
		}
	}
	return api.NewToken{Token: token, TokenRecord: k.record(record.kept(h), now)}, nil
}

// forget makes a token that was made at run time no longer good.
func (k *Keeper) forget(ctx context.Context, h Hash) error {
	k.mu.Lock()
	delete(k.minted, h)
	k.mu.Unlock()
	return k.facts.SetFact(ctx, factKind, hex.EncodeToString(h[:]), nil)
}

// Revoke makes a token no longer good, by its id. One that the file holds can
// only be removed there.
func (k *Keeper) Revoke(ctx context.Context, id string) error {
	k.mu.RLock()
	minted, isMinted := byID(k.minted, id)
	_, isOfFile := byID(k.file, id)
	k.mu.RUnlock()
	switch {
	case isMinted:
		return k.forget(ctx, minted)
	case isOfFile:
		return &api.Error{Code: api.CodeConflict, Field: "token", Message: fmt.Sprintf("token %s stands in the queue's token file; remove its line there", id)}
	}
	return &api.Error{Code: api.CodeNotFound, Field: "token", Message: fmt.Sprintf("there is no token with the id %q", id)}
}

func byID(tokens map[Hash]kept, id string) (Hash, bool) {
	for h := range tokens {
		if h.ID() == id {
			return h, true
		}
	}
	return Hash{}, false
}

// Records lists the tokens that are good at now, by id.
func (k *Keeper) Records(now time.Time) []api.TokenRecord {
	k.mu.RLock()
	defer k.mu.RUnlock()
	var all []api.TokenRecord
	for _, tokens := range []map[Hash]kept{k.file, k.minted} {
		for _, t := range tokens {
			if !t.expired(now) {
				all = append(all, k.record(t, now))
			}
		}
	}
	slices.SortFunc(all, func(a, b api.TokenRecord) int { return strings.Compare(a.ID, b.ID) })
	return all
}

func (k *Keeper) record(t kept, now time.Time) api.TokenRecord {
	r := api.TokenRecord{
		ID: t.caller.ID, Role: t.caller.Role, Name: t.caller.Name, Tenant: t.caller.Tenant,
		InstanceID: t.caller.InstanceID, Cluster: k.opt.Cluster, CreatedAt: t.since.UTC(),
	}
	if at := t.caller.ExpiresAt; !at.IsZero() {
		at = at.UTC()
		r.ExpiresAt, r.LastsMS = &at, at.Sub(now).Milliseconds()
	}
	return r
}
