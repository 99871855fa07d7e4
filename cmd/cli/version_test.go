package cli

import "testing"

func TestVersionString(t *testing.T) {
	tests := []struct {
		version Version
		want    string
	}{
		{Version{Program: "skynet", Version: "(devel)", Go: "go1.26.0", Platform: "linux/arm64"}, "skynet (devel) go1.26.0 linux/arm64"},
		{Version{Program: "skynet", Version: "v1.2.0", Revision: "3f9a1c7d2b60e4f5", Go: "go1.26.0", Platform: "linux/amd64"}, "skynet v1.2.0 (3f9a1c7d2b60) go1.26.0 linux/amd64"},
		{Version{Program: "skynet", Version: "(devel)", Revision: "3f9a", Modified: true, Go: "go1.26.0", Platform: "linux/amd64"}, "skynet (devel) (3f9a, modified) go1.26.0 linux/amd64"},
	}
	for _, tt := range tests {
		if got := tt.version.String(); got != tt.want {
			t.Errorf("%q, want %q", got, tt.want)
		}
	}
}
