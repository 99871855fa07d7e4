package handler

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/skynet-ec2/skynet/live/photo"
	"github.com/skynet-ec2/skynet/live/results"
	"github.com/skynet-ec2/skynet/policy/spell"
)

// photoArgs are the arguments that all work on photos takes.
type photoArgs struct {
	Input   string       `json:"input"`             // where the photo lies
	Name    string       `json:"name,omitempty"`    // its own name, for those of the result's files
	Format  photo.Format `json:"format,omitempty"`  // of the result; "": the photo's
	Quality int          `json:"quality,omitempty"` // of a JPEG, 1 to 100; 0: photo.QualityDefault
}

func (a photoArgs) check() error {
	var problems []error
	if a.Input == "" {
		problems = append(problems, errors.New("args: input: must be given"))
	}
	if a.Format != "" && !slices.Contains(photo.Formats, string(a.Format)) {
		problems = append(problems, fmt.Errorf("args: format %q: must be jpeg or png%s", a.Format, spell.DidYouMean(string(a.Format), photo.Formats)))
	}
	if a.Quality < 0 || a.Quality > 100 {
		problems = append(problems, fmt.Errorf("args: quality %d: must be from 1 to 100", a.Quality))
	}
	if len(problems) > 0 {
		return final(errors.Join(problems...))
	}
	return nil
}

// formatOf returns what the files of p are encoded as.
func (a photoArgs) formatOf(p *photo.Photo) photo.Format {
	if a.Format != "" {
		return a.Format
	}
	return p.Format
}

// save writes p as a file of the result.
func (a photoArgs) save(p *photo.Photo, dir, name string) (results.File, error) {
	format := a.formatOf(p)
	path := filepath.Join(dir, name+format.Extension())
	out, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, os.ErrExist) {
		return results.File{}, final(fmt.Errorf("args: two files of the result are called %s", filepath.Base(path)))
	}
	if err != nil {
		return results.File{}, err
	}
	b := bufio.NewWriterSize(out, 1<<16)
	err = p.Write(b, format, a.Quality)
	if err == nil {
		err = b.Flush()
	}
	if e := out.Close(); err == nil {
		err = e
	}
	if err != nil {
		return results.File{}, err
	}
	f, err := results.Describe(path, format.ContentType())
	f.Width, f.Height = p.Dimensions()
	return f, err
}

// one returns the result of a job that makes one photo.
func (a photoArgs) one(p *photo.Photo, dir string, size int64) (Result, error) {
	f, err := a.save(p, dir, stem(a.Name, a.Input))
	if err != nil {
		return Result{}, err
	}
	return Result{Files: []results.File{f}, BytesIn: size}, nil
}

// resize makes a set of sizes.
type resize struct{}

// sizesMax bounds the sizes of one job.
const sizesMax = 50

// sizesDefault are made where a job asks for none.
var sizesDefault = []photo.Size{
	{Name: "thumb", Width: 150, Height: 150, Fit: photo.Cover},
	{Name: "small", Width: 400, Height: 400},
	{Name: "medium", Width: 800, Height: 800},
	{Name: "large", Width: 1600, Height: 1600},
}

func (resize) run(ctx context.Context, s *Set, job Job, dir, scratch string) (Result, error) {
	var args struct {
		photoArgs
		Sizes []photo.Size `json:"sizes"`
	}
	if err := decodeArgs(job.Args, &args); err != nil {
		return Result{}, err
	}
	if err := args.check(); err != nil {
		return Result{}, err
	}
	if len(args.Sizes) == 0 {
		args.Sizes = sizesDefault
	}
	if len(args.Sizes) > sizesMax {
		return Result{}, final(fmt.Errorf("args: %d sizes: must be at most %d", len(args.Sizes), sizesMax))
	}
	for _, size := range args.Sizes {
		if err := errors.Join(size.Check(), results.CheckName(size.Name+".jpg")); err != nil {
			return Result{}, final(fmt.Errorf("args: %w", err))
		}
	}
	p, read, err := s.readPhoto(ctx, args.Input, scratch, "input")
	if err != nil {
		return Result{}, err
	}
	made, err := p.Resize(args.Sizes)
	if err != nil {
		return Result{}, final(err)
	}
	r := Result{BytesIn: read}
	for i, m := range made {
		if err := ctx.Err(); err != nil {
			return Result{}, err
		}
		f, err := args.save(m, dir, args.Sizes[i].Name)
		if err != nil {
			return Result{}, err
		}
		r.Files = append(r.Files, f)
	}
	return r, nil
}

// rotate turns a photo.
type rotate struct{}

func (rotate) run(ctx context.Context, s *Set, job Job, dir, scratch string) (Result, error) {
	var args struct {
		photoArgs
		Degrees int `json:"degrees"` // clockwise: 0 (upright by its tag), 90, 180 or 270
	}
	if err := decodeArgs(job.Args, &args); err != nil {
		return Result{}, err
	}
	if err := args.check(); err != nil {
		return Result{}, err
	}
	p, size, err := s.readPhoto(ctx, args.Input, scratch, "input")
	if err != nil {
		return Result{}, err
	}
	turned, err := p.Rotate(args.Degrees)
	if err != nil {
		return Result{}, final(fmt.Errorf("args: %w", err))
	}
	return args.one(turned, dir, size)
}

// watermark puts a text or a picture on a photo.
type watermark struct{}

func (watermark) run(ctx context.Context, s *Set, job Job, dir, scratch string) (Result, error) {
	var args struct {
		photoArgs
		Text     string         `json:"text,omitempty"`
		Mark     string         `json:"mark,omitempty"` // where the picture lies
		Position photo.Position `json:"position,omitempty"`
		Opacity  float64        `json:"opacity,omitempty"`
		Scale    float64        `json:"scale,omitempty"`
	}
	if err := decodeArgs(job.Args, &args); err != nil {
		return Result{}, err
	}
	if err := args.check(); err != nil {
		return Result{}, err
	}
	mark := photo.Watermark{Text: args.Text, Position: args.Position, Opacity: args.Opacity, Scale: args.Scale}
	if args.Mark != "" {
		picture, _, err := s.readPhoto(ctx, args.Mark, scratch, "mark")
		if err != nil {
			return Result{}, err
		}
		mark.Mark = picture
	}
	if err := mark.Check(); err != nil {
		return Result{}, final(fmt.Errorf("args: %w", err))
	}
	p, size, err := s.readPhoto(ctx, args.Input, scratch, "input")
	if err != nil {
		return Result{}, err
	}
	marked, err := p.Watermark(mark)
	if err != nil {
		return Result{}, err
	}
	return args.one(marked, dir, size)
}
