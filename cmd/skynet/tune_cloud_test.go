package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/skynet-ec2/skynet/sim/tune"
)

// cloudFolder submits a plan of shards to an engine and returns the folder of its
// manifests and next.sh.
func cloudFolder(t *testing.T, manifest func(*cloudJob) (map[string]any, string), shards int) (folder, next string) {
	t.Helper()
	t.Chdir(t.TempDir())
	c := &cloud{parallel: 5, image: "r.example/skynet:1", store: "s3://bucket/tune", dir: "d", manifest: manifest}
	p := &tune.Plan{ID: strings.Repeat("0123456789ab", 6)[:64], Shards: shards}
	folder = filepath.Join("d", "plan-"+p.ID[:12])
	if err := os.MkdirAll(folder, 0o777); err != nil {
		t.Fatal(err)
	}
	err := c.submit(t.Context(), folder, p, []int{0, 3})
	if err == nil || exitCode(err, false) != exitFailure || !strings.HasSuffix(err.Error(), "are to be run elsewhere: sh d/next.sh, then this command again") {
		t.Fatalf("error %v, want one that says what to do", err)
	}
	text, err := os.ReadFile(filepath.Join("d", "next.sh"))
	if err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("sh", "-n", "d/next.sh").CombinedOutput(); err != nil {
		t.Errorf("next.sh is no shell script: %s", out)
	}
	return folder, string(text)
}

// manifestOf reads a manifest into a struct that knows every key the engine's API
// has for it, and no other.
func manifestOf(t *testing.T, folder, name string, into any) {
	t.Helper()
	f, err := os.Open(filepath.Join(folder, name))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	d := json.NewDecoder(f)
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}

// checkScript checks what a container runs: the part of the plan that its index
// names.
func checkScript(t *testing.T, command []string, index string, shards string) {
	t.Helper()
	if len(command) != 3 || command[0] != "sh" || command[1] != "-c" {
		t.Fatalf("command %q, want sh -c", command)
	}
	c := exec.Command("sh", "-c", `
aws() { echo aws "$@" >> log; }
skynet() { echo skynet "$@" >> log; }
`+command[2])
	c.Dir = t.TempDir()
	c.Env = []string{index + "=3", "PATH=" + os.Getenv("PATH")}
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	log, err := os.ReadFile(filepath.Join(c.Dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	want := `aws s3 cp --only-show-errors --recursive s3://bucket/tune/inputs .
aws s3 cp --only-show-errors s3://bucket/tune/plan-0123456789ab/plan.json plan.json
skynet tune --shard 3/` + shards + ` --in plan.json --out shard.json --parallel 1 --quiet
aws s3 cp --only-show-errors shard.json s3://bucket/tune/plan-0123456789ab/shard-3.json
`
	if string(log) != want {
		t.Errorf("a container runs\n%s\nwant\n%s", log, want)
	}
}

var (
	// jobName is what AWS Batch takes for names, dnsLabel what Kubernetes does.
	jobName  = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$`)
	dnsLabel = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)
)

func TestAWSBatchManifest(t *testing.T) {
	folder, next := cloudFolder(t, awsBatch, 7)
	var definition struct {
		JobDefinitionName   string `json:"jobDefinitionName"`
		Type                string `json:"type"`
		ContainerProperties struct {
			Image                string   `json:"image"`
			Command              []string `json:"command"`
			ResourceRequirements []struct{ Type, Value string }
		} `json:"containerProperties"`
		RetryStrategy struct{ Attempts int }
		Timeout       struct{ AttemptDurationSeconds int }
	}
	manifestOf(t, folder, "job-definition.json", &definition)
	var job struct {
		JobName, JobQueue, JobDefinition string
		ArrayProperties                  struct{ Size int }
	}
	manifestOf(t, folder, "job.json", &job)
	if !jobName.MatchString(job.JobName) || job.JobDefinition != definition.JobDefinitionName || job.JobQueue == "" {
		t.Errorf("job %+v of definition %q", job, definition.JobDefinitionName)
	}
	if size := job.ArrayProperties.Size; size != 7 || size < 2 || size > 10_000 {
		t.Errorf("an array of %d, want 7: from 2 to 10000", size)
	}
	d := definition.ContainerProperties
	if definition.Type != "container" || d.Image != "r.example/skynet:1" || definition.RetryStrategy.Attempts < 1 || definition.RetryStrategy.Attempts > 10 || definition.Timeout.AttemptDurationSeconds < 60 {
		t.Errorf("definition %+v", definition)
	}
	units := map[string]string{}
	for _, r := range d.ResourceRequirements {
		units[r.Type] = r.Value
	}
	if units["VCPU"] != "1" || units["MEMORY"] != "2048" {
		t.Errorf("a container has %v, want one core and 2048 MiB", units)
	}
	checkScript(t, d.Command, "AWS_BATCH_JOB_ARRAY_INDEX", "7")
	for _, want := range []string{
		"aws batch register-job-definition --cli-input-json file://" + folder + "/job-definition.json",
		"aws batch submit-job --cli-input-json file://" + folder + "/job.json",
		"aws s3 cp --only-show-errors " + folder + "/plan.json s3://bucket/tune/plan-0123456789ab/plan.json",
		"aws s3 cp --only-show-errors --recursive s3://bucket/tune/plan-0123456789ab " + folder + " --exclude '*' --include 'shard-*.json'",
	} {
		if !strings.Contains(next, want) {
			t.Errorf("next.sh does not say %q:\n%s", want, next)
		}
	}
}

func TestKubernetesManifest(t *testing.T) {
	folder, next := cloudFolder(t, kubernetes, 7)
	type amounts struct{ CPU, Memory string }
	var job struct {
		APIVersion string `json:"apiVersion"`
		Kind       string
		Metadata   struct {
			Name   string
			Labels map[string]string
		}
		Spec struct {
			Completions, Parallelism, BackoffLimit, ActiveDeadlineSeconds int
			CompletionMode                                                string
			Template                                                      struct {
				Spec struct {
					RestartPolicy, ServiceAccountName string
					Containers                        []struct {
						Name, Image string
						Command     []string
						Resources   struct{ Requests, Limits amounts }
					}
				}
			}
		}
	}
	manifestOf(t, folder, "job.json", &job)
	if job.APIVersion != "batch/v1" || job.Kind != "Job" || !dnsLabel.MatchString(job.Metadata.Name) {
		t.Errorf("%s %s %q, want a batch/v1 Job with a name that DNS takes", job.APIVersion, job.Kind, job.Metadata.Name)
	}
	s := job.Spec
	if s.CompletionMode != "Indexed" || s.Completions != 7 || s.Parallelism != 5 || s.BackoffLimit < 1 {
		t.Errorf("spec %+v, want 7 indexed completions, 5 at once", s)
	}
	pod := s.Template.Spec
	if pod.RestartPolicy != "Never" || len(pod.Containers) != 1 || pod.Containers[0].Image != "r.example/skynet:1" || !dnsLabel.MatchString(pod.Containers[0].Name) {
		t.Fatalf("pod %+v", pod)
	}
	if r := pod.Containers[0].Resources; r.Requests != r.Limits || r.Requests.CPU != "1" || r.Requests.Memory != "2Gi" {
		t.Errorf("resources %+v", r)
	}
	checkScript(t, pod.Containers[0].Command, "JOB_COMPLETION_INDEX", "7")
	if !strings.Contains(next, "kubectl apply -f "+folder+"/job.json\n") || !strings.Contains(next, "job/"+job.Metadata.Name) {
		t.Errorf("next.sh:\n%s", next)
	}
}

func TestCloudShards(t *testing.T) {
	for _, c := range []struct{ parallel, tasks, want int }{
		{8, 100, 8},
		{8, 3, 3},
		{1, 100, 2}, // AWS Batch takes no smaller array
		{8, 1, 2},   // the second has nothing to run
		{4096, 50_000, 4096},
	} {
		p := &tune.Plan{Tasks: make([]tune.Task, c.tasks)}
		got, err := (&cloud{parallel: c.parallel}).shards(t.Context(), p)
		if err != nil || got != c.want {
			t.Errorf("%d runs, %d at once: %d shards, want %d", c.tasks, c.parallel, got, c.want)
		}
	}
}
