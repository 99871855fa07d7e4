package chart

import (
	"crypto/sha256"
	"fmt"
	"os"
	"strings"
	"testing"
)

// uPlot is the files that its author published, with the licence that says who
// that is.
func TestUPlotIsWhatWasPublished(t *testing.T) {
	licence, err := os.ReadFile("uplot/LICENSE")
	if err != nil {
		t.Fatal(err)
	}
	for name, file := range map[string]struct{ text, want string }{
		"uPlot.iife.min.js": {uPlotScript, "19c8d4c6ad88929a79f4ae49d6f7161566dfd0ba3d15cc495e974f787eb78f1f"},
		"uPlot.min.css":     {uPlotStyle, "df630c6a8d6f8eeaff264b50f73ce5b114f646ffd9a0bb74f049b0a00135fa04"},
		"LICENSE":           {string(licence), "8f989229699b4fe2f1a0432d0e9edc338a8a911e250e2d1b01ecd770a5f5b1bd"},
	} {
		if got := fmt.Sprintf("%x", sha256.Sum256([]byte(file.text))); got != file.want {
			t.Errorf("%s has sha256 %s, want %s", name, got, file.want)
		}
	}
}

// What stands in a page ends no element of it.
func TestAssetsFitIntoElements(t *testing.T) {
	if strings.Contains(strings.ToLower(Script()), "</script") || strings.Contains(strings.ToLower(Style()), "</style") {
		t.Error("a script or style sheet would end its element")
	}
}
