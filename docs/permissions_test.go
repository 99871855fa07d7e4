//go:build unix

package docs_test

import (
	"bytes"
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// iamPolicy is an IAM policy.
type iamPolicy struct {
	Version   string
	Statement []iamStatement
}

type iamStatement struct {
	Sid, Effect      string
	Action, Resource words
	Condition        map[string]map[string]words
}

// words is a string or a list of them.
type words []string

func (w *words) UnmarshalJSON(text []byte) error {
	if bytes.HasPrefix(text, []byte(`"`)) {
		*w = words{""}
		return json.Unmarshal(text, &(*w)[0])
	}
	return json.Unmarshal(text, (*[]string)(w))
}

// actions returns what the policy allows, sorted.
func (p iamPolicy) actions() []string {
	var all []string
	for _, s := range p.Statement {
		all = append(all, s.Action...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// readPolicy returns the policy of a file, its names filled in.
func readPolicy(t *testing.T, name string) iamPolicy {
	t.Helper()
	text := strings.NewReplacer(
		"${region}", "us-east-1", "${account}", "123456789012", "${fleet}", "production/render", "${types}", `["m7i.large"]`,
		"${worker_role}", "arn:aws:iam::123456789012:role/worker", "${releases}", "releases", "${inputs}", "in", "${results}", "out",
		"${audience}", "skynet:production", "${queues}", `["arn:aws:sqs:us-east-1:123456789012:photos"]`,
		"${parameters}", `["arn:aws:ssm:us-east-1:123456789012:parameter/skynet/key"]`,
		"${key}", "arn:aws:kms:us-east-1:123456789012:key/k", "${place}", "status/photos", "${results_place}", "done/made",
	).Replace(readText(t, name))
	var p iamPolicy
	d := json.NewDecoder(strings.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&p); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	if strings.Contains(text, "${") || p.Version != "2012-10-17" {
		t.Errorf("%s: a name that nobody fills in, or version %q", name, p.Version)
	}
	return p
}

// A permission is a file of permissions with the files whose calls of AWS it is for.
type permission struct {
	file    string
	of      []string // below the root of the repository
	implied []string // actions that no call names, and that calls of these need
}

var permissions = []permission{
	{"policy-observe.json", []string{"live/ec2fleet/reader.go"}, nil},
	{
		"policy-controller.json",
		[]string{"live/ec2fleet/reader.go", "live/ec2fleet/writer.go", "live/ec2fleet/terminate.go", "live/ec2fleet/permissions.go"},
		[]string{"ec2:CreateTags", "iam:PassRole"}, // launches with tags and a role
	},
	{"policy-doctor.json", []string{"live/ec2fleet/examine.go"}, nil},
	{"policy-queue-results.json", []string{"live/objects/sign.go"}, nil},
	{"policy-worker.json", []string{"live/objects/objects.go", "live/objects/put.go"}, nil},
	{"policy-worker-sts.json", []string{"live/instance/webidentity.go"}, nil},
	{"policy-source-sqs.json", []string{"live/source/sqs/sqs.go"}, nil},
	{"policy-source-cloudwatch.json", []string{"live/source/sqs/cloudwatch.go"}, nil},
	{"policy-secret-ssm.json", []string{"live/secret/secret.go"}, nil},
	{"policy-secret-kms.json", nil, []string{"kms:Decrypt"}}, // GetParameter with decryption, under a key of one's own
	{"policy-provider-health.json", []string{"live/provider/health.go"}, nil},
	{"policy-status-s3.json", []string{"live/objects/publish.go"}, []string{"s3:GetObject"}}, // objects.go reads the page of before
}

// free are calls that need no permission.
var free = []string{"sts:GetCallerIdentity"}

// anyResource are actions that IAM grants on everything or not at all.
var anyResource = []string{
	"ec2:DescribeImages", "ec2:DescribeInstanceTypes", "ec2:DescribeInstances", "ec2:DescribeLaunchTemplateVersions", "ec2:DescribeSpotPriceHistory",
	"ec2:DescribeSubnets", "cloudwatch:GetMetricData", "health:DescribeEvents", "sts:GetWebIdentityToken",
}

// ofParts are the calls of S3 that upload in parts, and are permitted as PutObject.
var ofParts = []string{"CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload"}

const awsServices = "github.com/aws/aws-sdk-go-v2/service/"

// healthTarget is a call of AWS Health, which is made without the SDK's client.
var healthTarget = regexp.MustCompile(`^"AWSHealth_\d+\.(\w+)"$`)

// actionsOf returns what a file calls of AWS: every call of the SDK is handed an
// Input that is named for it.
func actionsOf(t *testing.T, name string) []string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	services := map[string]bool{}
	for _, i := range file.Imports {
		path, err := strconv.Unquote(i.Path.Value)
		if err != nil {
			t.Fatal(err)
		}
		service, isService := strings.CutPrefix(path, awsServices)
		if !isService || strings.Contains(service, "/") {
			continue
		}
		if i.Name != nil {
			t.Fatalf("%s: imports %s under another name, by which its calls are not found", name, path)
		}
		services[service] = true
	}
	var all []string
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SelectorExpr:
			of, isName := n.X.(*ast.Ident)
			call, isInput := strings.CutSuffix(n.Sel.Name, "Input")
			if !isName || !isInput || !services[of.Name] {
				break
			}
			if of.Name == "s3" && slices.Contains(ofParts, call) {
				call = "PutObject"
			}
			all = append(all, of.Name+":"+call)
		case *ast.BasicLit:
			if m := healthTarget.FindStringSubmatch(n.Value); m != nil {
				all = append(all, "health:"+m[1])
			}
		}
		return true
	})
	slices.Sort(all)
	return slices.Compact(all)
}

// The files of permissions allow what the programs call of AWS, and nothing else;
// the Terraform module has every one, and a page tells of it.
func TestPermissionsAreWhatIsCalled(t *testing.T) {
	files, err := filepath.Glob("operate/policy-*.json")
	if err != nil || len(files) != len(permissions) {
		t.Errorf("%d files of permissions, %d are known here: %v", len(files), len(permissions), err)
	}
	module, page := readText(t, "operate/terraform/main.tf"), readText(t, "operate.md")
	covered := map[string]bool{}
	for _, p := range permissions {
		want := slices.Clone(p.implied)
		for _, file := range p.of {
			covered[file] = true
			called := actionsOf(t, "../"+file)
			if len(called) == 0 {
				t.Errorf("%s: %s calls nothing of AWS any more", p.file, file)
			}
			want = append(want, called...)
		}
		slices.Sort(want)
		want = slices.Compact(want)
		policy := readPolicy(t, "operate/"+p.file)
		if got := policy.actions(); !slices.Equal(got, want) {
			t.Errorf("%s allows %v, what it is for calls %v", p.file, got, want)
		}
		for _, s := range policy.Statement {
			if s.Sid == "" || s.Effect != "Allow" || len(s.Action) == 0 || len(s.Resource) == 0 {
				t.Errorf("%s: %+v: has no name, or allows nothing", p.file, s)
			}
			for _, a := range s.Action {
				if strings.Contains(a, "*") || slices.Contains(s.Resource, "*") && !slices.Contains(anyResource, a) {
					t.Errorf("%s: %s: allows %s on %v", p.file, s.Sid, a, s.Resource)
				}
			}
		}
		if !strings.Contains(module, `("${path.module}/../`+p.file+`"`) {
			t.Errorf("the Terraform module does not have %s", p.file)
		}
		if !strings.Contains(page, "](operate/"+p.file+")") {
			t.Errorf("operate.md does not tell of %s", p.file)
		}
	}
	// no other file calls AWS for what needs a permission
	for _, folder := range []string{"live", "cmd"} {
		err := filepath.WalkDir("../"+folder, func(name string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() || filepath.Ext(name) != ".go" || strings.HasSuffix(name, "_test.go") || strings.Contains(name, "/testdata/") {
				return err
			}
			for _, a := range actionsOf(t, name) {
				if !covered[filepath.ToSlash(strings.TrimPrefix(name, "../"))] && !slices.Contains(free, a) {
					t.Errorf("%s calls %s, which no file of permissions is for", name, a)
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// The controller may launch and end what carries its fleet's tag, and tag what it
// launches; one that observes may only look.
func TestControllerReachesItsFleetOnly(t *testing.T) {
	controls := readPolicy(t, "operate/policy-controller.json")
	for _, s := range controls.Statement {
		tag := map[string]string{"EndTheFleetOnly": "aws:ResourceTag/skynet:fleet", "LaunchOfTheFleetOnly": "aws:RequestTag/skynet:fleet", "LaunchOnTheSpotMarket": "aws:RequestTag/skynet:fleet"}[s.Sid]
		if tag != "" && !slices.Equal(s.Condition["StringEquals"][tag], words{"production/render"}) {
			t.Errorf("%s: not bound to the fleet's tag", s.Sid)
		}
		if tag == "" && slices.ContainsFunc(s.Resource, func(r string) bool { return strings.Contains(r, ":instance/") }) && s.Sid != "TagWhatIsLaunchedAndNothingElse" {
			t.Errorf("%s: reaches instances of others", s.Sid)
		}
	}
	if !strings.Contains(readText(t, "../live/ec2fleet/config.go"), `TagFleet   = "skynet:fleet"`) {
		t.Error("the fleet's tag is another one")
	}
	for _, file := range []string{"operate/policy-observe.json", "operate/policy-doctor.json"} {
		for _, a := range readPolicy(t, file).actions() {
			if !strings.HasPrefix(a, "ec2:Describe") {
				t.Errorf("%s allows %s", file, a)
			}
		}
	}
}

// constant returns what a file says a constant is.
func constant(t *testing.T, file, name string) string {
	t.Helper()
	m := regexp.MustCompile(`(?m)^\t` + name + ` += "?([^"\s]+)`).FindStringSubmatch(readText(t, file))
	if m == nil {
		t.Fatalf("%s: no constant %s", file, name)
	}
	return m[1]
}

// Conditions hold for what is asked for, and for no more.
func TestPermissionsHaveConditions(t *testing.T) {
	const token = "../live/instance/webidentity.go"
	s := readPolicy(t, "operate/policy-worker-sts.json").Statement[0]
	for operator, of := range map[string]map[string]string{
		"ForAllValues:StringEquals": {"sts:IdentityTokenAudience": "skynet:production"},
		"Null":                      {"sts:IdentityTokenAudience": "false"}, // or a request that names none would pass
		"StringEquals":              {"sts:SigningAlgorithm": constant(t, token, "webIdentityAlgorithm")},
		"NumericLessThanEquals":     {"sts:DurationSeconds": constant(t, token, "webIdentitySeconds")},
	} {
		for key, want := range of {
			if got := s.Condition[operator][key]; !slices.Equal(got, words{want}) {
				t.Errorf("policy-worker-sts.json: %s %s %v, want %s", operator, key, got, want)
			}
		}
	}

	s = readPolicy(t, "operate/policy-source-cloudwatch.json").Statement[0]
	if !slices.Equal(s.Condition["StringEquals"]["aws:RequestedRegion"], words{"us-east-1"}) {
		t.Errorf("policy-source-cloudwatch.json: %v", s.Condition)
	}

	key := readPolicy(t, "operate/policy-secret-kms.json").Statement[0]
	parameters := readPolicy(t, "operate/policy-secret-ssm.json").Statement[0].Resource
	if got := key.Condition["StringEquals"]; !slices.Equal(got["kms:ViaService"], words{"ssm.us-east-1.amazonaws.com"}) || !slices.Equal(got["kms:EncryptionContext:PARAMETER_ARN"], parameters) {
		t.Errorf("policy-secret-kms.json: %v", got)
	}
	if !strings.Contains(readText(t, "../live/secret/secret.go"), "WithDecryption: aws.Bool(true)") {
		t.Error("nothing is decrypted any more")
	}

	const page = "../live/statuspage/page.go"
	var written words
	for _, name := range []string{"htmlFile", "jsonFile", "rssFile"} {
		written = append(written, "arn:aws:s3:::status/photos/"+constant(t, page, name))
	}
	for _, s := range readPolicy(t, "operate/policy-status-s3.json").Statement {
		want := written
		if slices.Contains(s.Action, "s3:GetObject") {
			want = words{written[1]}
		}
		if !slices.Equal(s.Resource, want) {
			t.Errorf("policy-status-s3.json: %s on %v, want %v", s.Action, s.Resource, want)
		}
	}
}
