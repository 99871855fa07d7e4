package traces

import (
	"bufio"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"

	"github.com/skynet-ec2/skynet/traces/compressed"
	"github.com/skynet-ec2/skynet/traces/whole"
)

// WriteOptions say how Write writes a file. The zero WriteOptions suit.
type WriteOptions struct {
	Tool     string           // name and version of the program, kept in the file where the format can
	Progress func(jobs int64) // called now and then with the jobs written so far
}

// Writable lists the extensions that Write understands.
const Writable = ".parquet, .csv, .csv.gz, .csv.zst"

// Write writes the jobs of src to a file whose extension gives the format
// (Writable) and returns what the file holds. The file appears whole or not
// at all. CSV keeps the jobs alone; Parquet keeps the trace's Meta as well.
// Write does not close src.
func Write(path string, src Source, opt WriteOptions) (Meta, error) {
	if err := CheckWritable(path); err != nil {
		return Meta{}, err
	}
	write := writerFor(path)
	f, err := whole.Create(path)
	if err != nil {
		return Meta{}, err
	}
	meta, err := write(f, src, opt)
	if err != nil {
		f.Abort()
		return Meta{}, err
	}
	if err := f.Commit(); err != nil {
		return Meta{}, err
	}
	return meta, nil
}

// CheckWritable returns the error of Write for a path whose extension it does
// not know: better before long work than after.
func CheckWritable(path string) error {
	if writerFor(path) != nil {
		return nil
	}
	return &InputError{
		File: path, Reason: "cannot be written: unknown extension " + shown(filepath.Ext(path)),
		Fix: "extensions are " + Writable,
	}
}

// Encode writes the jobs of src to w, in the format of an extension that Write
// understands, such as ".parquet", and returns what it wrote. It is Write for
// what is no file. It does not close src.
func Encode(w io.Writer, extension string, src Source, opt WriteOptions) (Meta, error) {
	if err := CheckWritable(extension); err != nil {
		return Meta{}, err
	}
	return writerFor(extension)(w, src, opt)
}

type writeFunc func(w io.Writer, src Source, opt WriteOptions) (Meta, error)

// writerFor returns the writer of path's format, nil if there is none.
func writerFor(path string) writeFunc {
	switch base := strings.ToLower(filepath.Base(path)); {
	case strings.HasSuffix(base, ".parquet"):
		return writeParquet
	case strings.HasSuffix(base, ".csv"), strings.HasSuffix(base, ".csv.gz"), strings.HasSuffix(base, ".csv.zst"):
		return func(w io.Writer, src Source, opt WriteOptions) (Meta, error) {
			z, err := compressed.NewWriter(w, base)
			if err != nil {
				return Meta{}, err
			}
			meta, err := writeCSV(z, src, opt)
			if e := z.Close(); err == nil {
				err = e
			}
			return meta, err
		}
	}
	return nil
}

// each calls f with every batch of src and returns what is known of src then,
// jobs and span counted.
func each(src Source, opt WriteOptions, f func(*Batch) error) (Meta, error) {
	meta := src.Meta()
	var b Batch
	jobs, last := int64(0), int64(0)
	for {
		err := src.Next(&b)
		if err == io.EOF {
			break
		}
		if err != nil {
			return Meta{}, err
		}
		if err := f(&b); err != nil {
			return Meta{}, err
		}
		jobs += int64(b.Len())
		last = b.Arrival[b.Len()-1]
		if opt.Progress != nil {
			opt.Progress(jobs)
		}
	}
	meta.Jobs, meta.Span = jobs, time.Duration(last)
	return meta, nil
}

func writeCSV(w io.Writer, src Source, opt WriteOptions) (Meta, error) {
	out := bufio.NewWriterSize(w, 1<<18)
	c := csvWriter{}
	meta, err := each(src, opt, func(b *Batch) error {
		_, err := out.Write(c.format(b))
		return err
	})
	if err != nil {
		return meta, err
	}
	if meta.Jobs == 0 {
		if _, err := out.Write(c.format(&Batch{})); err != nil {
			return meta, err
		}
	}
	return meta, out.Flush()
}

// csvWriter turns batches into text.
type csvWriter struct {
	begun bool
	text  []byte
	kinds [][]byte // ",type,priority" of every kind
}

// format returns b as lines, the header first in the first call. The result
// is valid until the next call.
func (c *csvWriter) format(b *Batch) []byte {
	c.text = c.text[:0]
	var extra []int // of Batch.optional
	optional := b.optional()
	for i, col := range optional {
		if *col != nil {
			extra = append(extra, i)
		}
	}
	if !c.begun {
		c.begun = true
		names := append([]string(nil), columnNames[:colsRequired]...)
		for _, i := range extra {
			names = append(names, columnNames[colEstimate+i])
		}
		if b.Tenant != nil {
			names = append(names, columnNames[colTenant])
		}
		c.text = append(append(c.text, strings.Join(names, ",")...), '\n')
	}
	for _, k := range b.Kinds[len(c.kinds):] {
		text := appendField([]byte{','}, k.Type)
		c.kinds = append(c.kinds, fmt.Appendf(text, ",%d", k.Priority))
	}
	text := c.text
	for i := range b.Arrival {
		text = AppendSeconds(text, b.Arrival[i])
		text = append(text, ',')
		text = AppendSeconds(text, b.Service[i])
		text = append(text, c.kinds[b.Kind[i]]...)
		for _, j := range extra {
			text = append(text, ',')
			switch v := (*optional[j])[i]; {
			case v == 0: // not known
			case j <= 1:
				text = AppendSeconds(text, v)
			default:
				text = fmt.Appendf(text, "%d", v)
			}
		}
		if b.Tenant != nil {
			text = appendField(append(text, ','), b.Tenants[b.Tenant[i]])
		}
		text = append(text, '\n')
	}
	c.text = text
	return text
}

// appendField appends s, in quotes if it needs them.
func appendField(dst []byte, s string) []byte {
	if !strings.ContainsAny(s, ",\"\r\n\t ;") {
		return append(dst, s...)
	}
	dst = append(dst, '"')
	dst = append(dst, strings.ReplaceAll(s, `"`, `""`)...)
	return append(dst, '"')
}
