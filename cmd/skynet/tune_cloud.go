package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/skynet-ec2/skynet/policy/spell"
	"github.com/skynet-ec2/skynet/reports"
	"github.com/skynet-ec2/skynet/sim/tune"
)

// cloud writes what AWS Batch or Kubernetes needs to run a plan's shards, and how
// to have them run. It talks to neither: skynet links no cloud.
type cloud struct {
	parallel     int
	image, store string
	dir          string
	scenarios    []string
	manifest     func(j *cloudJob) (files map[string]any, run string)
}

// cloudJob is an array of containers.
type cloudJob struct {
	Name, Image, Script string
	Shards, Parallel    int
	Folder              string // where the manifests stand
}

// storeURL is a bucket and a prefix.
var storeURL = regexp.MustCompile(`^s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[A-Za-z0-9._/-]+)?$`)

// imageName is a container image as engines take it.
var imageName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._/:@-]*$`)

// check returns what the command line lacks for an engine.
func (c *cloud) check(engine string) error {
	var problems []error
	if !imageName.MatchString(c.image) {
		problems = append(problems, fmt.Errorf("--image %q: --engine %s needs a container image with skynet and the AWS CLI", c.image, engine))
	}
	if !storeURL.MatchString(c.store) {
		problems = append(problems, fmt.Errorf("--store %q: --engine %s needs an s3://bucket/prefix; a bucket's name has 3 to 63 of a-z, 0-9, '.' and '-', a prefix has A-Z, '_' and '/' too", c.store, engine))
	}
	for _, path := range c.scenarios {
		if filepath.IsAbs(path) || strings.HasPrefix(filepath.ToSlash(filepath.Clean(path)), "../") {
			problems = append(problems, fmt.Errorf("%s: --engine %s copies the working folder: call tune in a folder above its scenarios and their traces", path, engine))
		}
	}
	if len(problems) > 0 {
		return usageError(errors.Join(problems...))
	}
	return nil
}

// batchMin is the least size of an array of AWS Batch.
const batchMin = 2

func (c *cloud) shards(_ context.Context, p *tune.Plan) (int, error) {
	return max(min(c.parallel, len(p.Tasks), tune.ShardsMax), batchMin), nil
}

// submit writes the manifests and next.sh, which has the shards run and fetches
// what they came to, and returns an error that says so.
func (c *cloud) submit(_ context.Context, folder string, p *tune.Plan, missing []int) error {
	id := p.ID[:12]
	at := c.store + "/plan-" + id
	j := &cloudJob{
		Name: "skynet-tune-" + id, Image: c.image, Shards: p.Shards, Parallel: c.parallel, Folder: folder,
		Script: fmt.Sprintf(`set -eu
i=${AWS_BATCH_JOB_ARRAY_INDEX:-${JOB_COMPLETION_INDEX}}
aws s3 cp --only-show-errors --recursive %s/inputs .
aws s3 cp --only-show-errors %s/plan.json plan.json
skynet tune --shard "$i/%d" --in plan.json --out shard.json --parallel 1 --quiet
aws s3 cp --only-show-errors shard.json "%s/shard-$i.json"
`, c.store, at, p.Shards, at),
	}
	files, run := c.manifest(j)
	for _, name := range sortedNames(files) {
		if err := reports.WriteFile(filepath.Join(folder, name), func(w io.Writer) error {
			e := json.NewEncoder(w)
			e.SetEscapeHTML(false)
			e.SetIndent("", "  ")
			return e.Encode(files[name])
		}); err != nil {
			return err
		}
	}
	next := filepath.Join(c.dir, "next.sh")
	text := fmt.Sprintf(`#!/bin/sh
# Runs %s of %s and fetches the results. Then call tune again.
set -eu
aws s3 sync --only-show-errors . %s/inputs --exclude %s
aws s3 cp --only-show-errors %s %s/plan.json
%saws s3 cp --only-show-errors --recursive %s %s --exclude '*' --include 'shard-*.json'
`, plural(p.Shards, "shard"), "plan-"+id, c.store, spell.Shell(filepath.ToSlash(c.dir)+"/*"),
		spell.Shell(filepath.Join(folder, "plan.json")), at, run, at, spell.Shell(folder))
	if err := writeFile(next, []byte(text)); err != nil {
		return err
	}
	return outsideError(fmt.Errorf("%s: %s to be run elsewhere: sh %s, then this command again", folder, shardNames(missing, p.Shards), next))
}

// sortedNames returns the names of files in order.
func sortedNames(files map[string]any) []string {
	names := make([]string, 0, len(files))
	for name := range files {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// awsBatch returns a job definition and an array job of it.
func awsBatch(j *cloudJob) (files map[string]any, run string) {
	type resource struct {
		Type  string `json:"type"`
		Value string `json:"value"`
	}
	files = map[string]any{
		"job-definition.json": map[string]any{
			"jobDefinitionName": j.Name,
			"type":              "container",
			"containerProperties": map[string]any{
				"image":                j.Image,
				"command":              []string{"sh", "-c", j.Script},
				"resourceRequirements": []resource{{"VCPU", "1"}, {"MEMORY", "2048"}},
			},
			"retryStrategy": map[string]any{"attempts": 3},
			"timeout":       map[string]any{"attemptDurationSeconds": 6 * 3600},
		},
		"job.json": map[string]any{
			"jobName":         j.Name,
			"jobQueue":        "skynet",
			"jobDefinition":   j.Name,
			"arrayProperties": map[string]any{"size": j.Shards},
		},
	}
	at := func(name string) string { return spell.Shell("file://" + filepath.Join(j.Folder, name)) }
	return files, fmt.Sprintf(`aws batch register-job-definition --cli-input-json %s >/dev/null
job=$(aws batch submit-job --cli-input-json %s --query jobId --output text)
while :; do
	status=$(aws batch describe-jobs --jobs "$job" --query 'jobs[0].status' --output text)
	case $status in
	SUCCEEDED) break ;;
	FAILED) echo "job $job failed" >&2; break ;;
	esac
	sleep 15
done
`, at("job-definition.json"), at("job.json"))
}

// kubernetes returns an Indexed Job.
func kubernetes(j *cloudJob) (files map[string]any, run string) {
	size := map[string]any{"cpu": "1", "memory": "2Gi"}
	files = map[string]any{
		"job.json": map[string]any{
			"apiVersion": "batch/v1",
			"kind":       "Job",
			"metadata":   map[string]any{"name": j.Name, "labels": map[string]any{"app": "skynet-tune"}},
			"spec": map[string]any{
				"completions":           j.Shards,
				"parallelism":           min(j.Parallel, j.Shards),
				"completionMode":        "Indexed",
				"backoffLimit":          2 * j.Shards,
				"activeDeadlineSeconds": 6 * 3600,
				"template": map[string]any{
					"spec": map[string]any{
						"restartPolicy":      "Never",
						"serviceAccountName": "skynet-tune",
						"containers": []map[string]any{{
							"name":      "shard",
							"image":     j.Image,
							"command":   []string{"sh", "-c", j.Script},
							"resources": map[string]any{"requests": size, "limits": size},
						}},
					},
				},
			},
		},
	}
	return files, fmt.Sprintf(`kubectl apply -f %s
kubectl wait --for=condition=complete --timeout=6h job/%s || kubectl describe job/%s >&2
`, spell.Shell(filepath.Join(j.Folder, "job.json")), j.Name, j.Name)
}
