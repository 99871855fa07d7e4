package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// sumsFile lists the SHA-256 of every archive, as sha256sum writes and checks
// it. It is what is signed.
const sumsFile = "SHA256SUMS"

// sums returns the lines of sumsFile for the archives of folder.
func sums(folder string) ([]byte, error) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".tar.gz") {
			continue
		}
		content, err := os.ReadFile(filepath.Join(folder, e.Name()))
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(&b, "%x  %s\n", sha256.Sum256(content), e.Name())
	}
	return b.Bytes(), nil
}

func writeSums(folder string) error {
	text, err := sums(folder)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(folder, sumsFile), text, 0o644)
}

// verify checks that the release in folder is whole and, by the public key in
// the file pub, whose it is.
func verify(folder, pub string, stdout io.Writer) error {
	if pub == "" {
		return usage("-pub: missing: without the public key nobody can tell whose release it is")
	}
	listed, err := os.ReadFile(filepath.Join(folder, sumsFile))
	if err != nil {
		return usage("%w", err)
	}
	comment, err := verifySums(folder, pub, listed)
	if err != nil {
		return err
	}
	found, err := sums(folder)
	if err != nil {
		return err
	}
	if err := sameSums(listed, found); err != nil {
		return fmt.Errorf("%s: %w", folder, err)
	}
	fmt.Fprintf(stdout, "%s: %d archives as signed: %s\n", folder, bytes.Count(listed, []byte("\n")), comment)
	return nil
}

// sameSums returns how the archives found differ from those listed.
func sameSums(listed, found []byte) error {
	lines := func(text []byte) map[string]string {
		sums := map[string]string{}
		for line := range strings.Lines(string(text)) {
			sum, name, _ := strings.Cut(strings.TrimSpace(line), "  ")
			sums[name] = sum
		}
		return sums
	}
	want, have := lines(listed), lines(found)
	var problems []error
	for name, sum := range want {
		switch have[name] {
		case sum:
		case "":
			problems = append(problems, fmt.Errorf("%s is missing", name))
		default:
			problems = append(problems, fmt.Errorf("%s differs", name))
		}
	}
	for name := range have {
		if want[name] == "" {
			problems = append(problems, fmt.Errorf("%s is not listed", name))
		}
	}
	slices.SortFunc(problems, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return errors.Join(problems...)
}

// compare builds the commit that repository has checked out once more and
// compares every archive with the release in folder.
func compare(ctx context.Context, repository, folder string, stdout io.Writer) error {
	c, err := head(ctx, repository)
	if err != nil {
		return err
	}
	again, err := os.MkdirTemp("", "again-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(again)
	if err := buildAll(ctx, repository, again, targets, c, stdout); err != nil {
		return err
	}
	listed, err := os.ReadFile(filepath.Join(folder, sumsFile))
	if err != nil {
		return err
	}
	found, err := sums(again)
	if err != nil {
		return err
	}
	if err := sameSums(listed, found); err != nil {
		return fmt.Errorf("built again, not the same bytes (the same version of Go, the same commit?): %w", err)
	}
	fmt.Fprintf(stdout, "built again: the same bytes\n")
	return nil
}
