package traces

import (
	"io"
	"testing"
	"time"
)

func BenchmarkGeneratePhotoSite(b *testing.B) {
	c := DefaultPhotoSite()
	c.Duration = 7 * 24 * time.Hour
	b.ReportAllocs()
	jobs := 0
	for b.Loop() {
		src, err := c.Source()
		if err != nil {
			b.Fatal(err)
		}
		var batch Batch
		for src.Next(&batch) != io.EOF {
			jobs += batch.Len()
		}
	}
	b.ReportMetric(float64(jobs)/b.Elapsed().Seconds()/1e6, "Mjobs/s")
	b.ReportMetric(float64(jobs)/float64(b.N), "jobs")
}

func BenchmarkPackedCursor(b *testing.B) {
	c := DefaultPhotoSite()
	c.Duration = 7 * 24 * time.Hour
	src, err := c.Source()
	if err != nil {
		b.Fatal(err)
	}
	p, err := Load(src)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	jobs := 0
	for b.Loop() {
		src := p.Source()
		var batch Batch
		for src.Next(&batch) != io.EOF {
			jobs += batch.Len()
		}
	}
	b.ReportMetric(float64(jobs)/b.Elapsed().Seconds()/1e6, "Mjobs/s")
	b.ReportMetric(float64(p.Bytes())/float64(p.Len()), "B/job")
}
