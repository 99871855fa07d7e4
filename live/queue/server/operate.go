package server

import (
	"net/http"
	"time"

	"github.com/skynet-ec2/skynet/live/access"
	"github.com/skynet-ec2/skynet/live/api"
)

func (c *call) listQueues() error {
	if err := c.wholeQueue(); err != nil {
		return err
	}
	return c.answer(c.engine.Queues())
}

func (c *call) pauseQueue() error {
	kind, err := c.word("type")
	if err != nil {
		return err
	}
	return c.answerQueue(c.engine.Pause(c.ctx(), kind))
}

func (c *call) resumeQueue() error {
	kind, err := c.word("type")
	if err != nil {
		return err
	}
	return c.answerQueue(c.engine.Resume(c.ctx(), kind))
}

func (c *call) limitQueue() error {
	kind, err := c.word("type")
	if err != nil {
		return err
	}
	l, err := take(c, bodyBytesMax, checkLimit)
	if err != nil {
		return err
	}
	return c.answerQueue(c.engine.Limit(c.ctx(), kind, l))
}

func (c *call) answerQueue(q api.Queue, err error) error {
	if err != nil {
		return err
	}
	return c.answer(q)
}

func (c *call) limitKey() error {
	key, err := c.word("key")
	if err != nil {
		return err
	}
	l, err := take(c, bodyBytesMax, checkKeyLimit)
	if err != nil {
		return err
	}
	answer, err := c.engine.KeyLimit(c.ctx(), key, l)
	if err != nil {
		return err
	}
	return c.answer(answer)
}

func (c *call) weighTenant() error {
	tenant, err := c.word("tenant")
	if err != nil {
		return err
	}
	w, err := take(c, bodyBytesMax, checkWeight)
	if err != nil {
		return err
	}
	answer, err := c.engine.Weight(c.ctx(), tenant, w)
	if err != nil {
		return err
	}
	return c.answer(answer)
}

func (c *call) listSchedules() error {
	if err := c.wholeQueue(); err != nil {
		return err
	}
	return c.answer(c.engine.Schedules())
}

func (c *call) setSchedule() error {
	name, err := c.word("schedule")
	if err != nil {
		return err
	}
	s, err := take(c, bodyBytesMax, checkSchedule)
	if err != nil {
		return err
	}
	if s.Name != "" && s.Name != name {
		return &api.Error{Code: api.CodeInvalid, Field: "name", Allowed: []string{name}, Message: "name is not the one in the path"}
	}
	s.Name = name
	answer, err := c.engine.SetSchedule(c.ctx(), name, s)
	if err != nil {
		return err
	}
	return c.answer(answer)
}

func (c *call) deleteSchedule() error {
	name, err := c.word("schedule")
	if err == nil {
		err = c.engine.DeleteSchedule(c.ctx(), name)
	}
	if err != nil {
		return err
	}
	return c.none()
}

func (c *call) direct() error {
	r, err := take(c, bodyBytesMax, checkDirective)
	if err != nil {
		return err
	}
	answer, err := c.engine.Direct(c.ctx(), r)
	if err != nil {
		return err
	}
	return c.answer(answer)
}

func (c *call) listDirectives() error {
	if err := c.wholeQueue(); err != nil {
		return err
	}
	return c.answer(c.engine.Directives())
}

func (c *call) deleteDirective() error {
	id, err := c.word("directive")
	if err == nil {
		err = c.engine.DeleteDirective(c.ctx(), id)
	}
	if err != nil {
		return err
	}
	return c.none()
}

func (c *call) makeToken() error {
	r, err := take(c, bodyBytesMax, checkTokenRequest)
	if err != nil {
		return err
	}
	caller := access.Caller{Role: r.Role, Name: r.Name, Tenant: r.Tenant, InstanceID: r.InstanceID}
	now := c.opt.Now()
	if r.LastsS > 0 {
		caller.ExpiresAt = now.Add(time.Duration(r.LastsS) * time.Second).UTC()
	}
	token, err := c.opt.Keeper.Make(c.ctx(), caller, "", now)
	if err != nil {
		return err
	}
	c.opt.Log.Info("token made", "token_id", token.ID, "role", token.Role, "by", c.caller.ID)
	return c.answer(token)
}

func (c *call) listTokens() error {
	return c.answer(api.TokensResponse{Tokens: c.opt.Keeper.Records(c.opt.Now())})
}

func (c *call) revokeToken() error {
	id, err := c.word("token")
	if err == nil {
		err = c.opt.Keeper.Revoke(c.ctx(), id)
	}
	if err != nil {
		return err
	}
	c.opt.Log.Info("token revoked", "token_id", id, "by", c.caller.ID)
	return c.none()
}

func (c *call) bootstrap() error {
	r, err := take(c, bodyBytesMax, checkBootstrap)
	if err != nil {
		return err
	}
	token, err := c.opt.Keeper.Bootstrap(c.ctx(), r, c.opt.Now())
	if err != nil {
		return err
	}
	return c.answer(token)
}

func (c *call) healthz() error { return c.text(http.StatusOK, "ok\n") }

func (c *call) readyz() error {
	if c.engine == nil {
		return &api.Error{Code: api.CodeNotLeader, Message: "this queue is a standby, or is starting"}
	}
	if err := c.engine.Ready(); err != nil {
		return &api.Error{Code: api.CodeUnavailable, Message: "the queue's store does not answer"}
	}
	return c.text(http.StatusOK, "ok\n")
}

func (c *call) text(status int, text string) error {
	c.w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	c.w.WriteHeader(status)
	_, err := c.w.Write([]byte(text))
	return err
}

func (c *call) openAPI() error {
	c.w.Header().Set("Content-Type", "application/json")
	c.w.WriteHeader(http.StatusOK)
	_, err := c.w.Write(api.OpenAPI)
	return err
}
