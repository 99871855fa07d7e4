package cloud

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// Template is a launch template.
type Template struct {
	ID, Name string
	Created  time.Time
	Versions []Version
	Default  int // version number
	Tags     []Tag
	token    string
	params   string
}

// Version is one version of a template; the first has number 1.
type Version struct {
	Number      int
	Description string
	Created     time.Time
	Spec        Spec
	token       string
}

// CreateTemplate makes a template of one version.
func (c *Cloud) CreateTemplate(name, description, token, params string, spec Spec, tags []Tag, dryRun bool) (*Template, *Error) {
	switch {
	case len(name) < 3 || len(name) > 128:
		return nil, fail("InvalidLaunchTemplateName.MalformedException", "The launch template name must have 3 to 128 characters.")
	case checkToken(token) != nil:
		return nil, checkToken(token)
	case checkTags(tags) != nil:
		return nil, checkTags(tags)
	case checkTags(spec.Tags) != nil:
		return nil, checkTags(spec.Tags)
	case dryRun:
		return nil, errDryRun()
	}
	for _, t := range c.templates {
		switch {
		case token != "" && t.token == token && t.params == params:
			return t, nil
		case token != "" && t.token == token:
			return nil, errMismatch()
		case t.Name == name:
			return nil, fail("InvalidLaunchTemplateName.AlreadyExistsException", "Launch template name already in use.")
		}
	}
	sortTags(tags)
	t := &Template{
		ID: c.newID("lt", int64(len(c.templates))), Name: name, Created: c.now, Default: 1, Tags: tags, token: token, params: params,
		Versions: []Version{{Number: 1, Description: description, Created: c.now, Spec: spec}},
	}
	c.templates = append(c.templates, t)
	return t, nil
}

// CreateTemplateVersion adds a version; source, a version number, gives what
// spec leaves out.
func (c *Cloud) CreateTemplateVersion(id, name, source, description, token string, spec Spec, dryRun bool) (*Template, *Version, *Error) {
	t, e := c.template(id, name)
	if e != nil {
		return nil, nil, e
	}
	if source != "" {
		from, e := t.version(source)
		if e != nil {
			return nil, nil, e
		}
		spec = spec.over(from.Spec)
	}
	if e := checkTags(spec.Tags); e != nil {
		return nil, nil, e
	}
	if dryRun {
		return nil, nil, errDryRun()
	}
	for i := range t.Versions {
		if token != "" && t.Versions[i].token == token {
			return t, &t.Versions[i], nil
		}
	}
	t.Versions = append(t.Versions, Version{Number: len(t.Versions) + 1, Description: description, Created: c.now, Spec: spec, token: token})
	return t, &t.Versions[len(t.Versions)-1], nil
}

// template finds a template by id or name.
func (c *Cloud) template(id, name string) (*Template, *Error) {
	switch {
	case id == "" && name == "":
		return nil, fail("MissingParameter", "Either a launch template ID or a launch template name must be specified in the request.")
	case id != "" && name != "":
		return nil, fail("InvalidParameterCombination", "Specify a launch template ID or a launch template name, not both.")
	case id != "" && !strings.HasPrefix(id, "lt-"):
		return nil, fail("InvalidLaunchTemplateId.Malformed", "Invalid launch template ID: %q", id)
	}
	i := slices.IndexFunc(c.templates, func(t *Template) bool { return t.ID == id || id == "" && t.Name == name })
	switch {
	case i >= 0:
		return c.templates[i], nil
	case id != "":
		return nil, fail("InvalidLaunchTemplateId.NotFound", "The specified launch template, with template ID %s, does not exist.", id)
	}
	return nil, fail("InvalidLaunchTemplateName.NotFoundException", "The specified launch template, with template name %s, does not exist.", name)
}

// version finds a version by number, "$Latest" or "$Default".
func (t *Template) version(which string) (*Version, *Error) {
	n := t.Default
	switch which {
	case "", "$Default":
	case "$Latest":
		n = len(t.Versions)
	default:
		var err error
		if n, err = strconv.Atoi(which); err != nil {
			return nil, fail("InvalidLaunchTemplateVersion.Malformed", "Invalid launch template version: %s", which)
		}
	}
	if n < 1 || n > len(t.Versions) {
		return nil, fail("InvalidLaunchTemplateId.VersionNotFound", "Could not find the specified version %s for the launch template with ID %s.", which, t.ID)
	}
	return &t.Versions[n-1], nil
}

// fromTemplate returns a spec with what its template says below it. Spec.Template
// is the template's id, or "name:" and its name.
func (c *Cloud) fromTemplate(s Spec) (Spec, *Error) {
	id, name := s.Template, ""
	if after, ok := strings.CutPrefix(id, TemplateNamed); ok {
		id, name = "", after
	}
	t, e := c.template(id, name)
	if e != nil {
		return s, e
	}
	v, e := t.version(s.TemplateVersion)
	if e != nil {
		return s, e
	}
	s.Template, s.TemplateVersion = t.ID, strconv.Itoa(v.Number)
	return s.over(v.Spec), nil
}

// TemplateNamed stands before the name of a template in Spec.Template, where its
// id is not given.
const TemplateNamed = "name:"

// Templates returns the templates of the ids and names, all without any, in the
// order in which they were made.
func (c *Cloud) Templates(ids, names []string) ([]*Template, *Error) {
	for _, id := range ids {
		if _, e := c.template(id, ""); e != nil {
			return nil, e
		}
	}
	for _, name := range names {
		if _, e := c.template("", name); e != nil {
			return nil, e
		}
	}
	if len(ids)+len(names) == 0 {
		return c.templates, nil
	}
	var found []*Template
	for _, t := range c.templates {
		if slices.Contains(ids, t.ID) || slices.Contains(names, t.Name) {
			found = append(found, t)
		}
	}
	return found, nil
}

// TemplateVersions returns versions of a template: those named, or all.
func (c *Cloud) TemplateVersions(id, name string, which []string) (*Template, []Version, *Error) {
	t, e := c.template(id, name)
	if e != nil || len(which) == 0 {
		if t == nil {
			return nil, nil, e
		}
		return t, t.Versions, e
	}
	var found []Version
	for _, w := range which {
		v, e := t.version(w)
		if e != nil {
			return nil, nil, e
		}
		found = append(found, *v)
	}
	return t, found, nil
}
