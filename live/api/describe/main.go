// Describe writes openapi.json: the calls of package api, the types that they
// carry, and what the source's comments say of them. go generate runs it in the
// folder of package api.
package main

import (
	"encoding/json"
	"fmt"
	"os"

	"github.com/skynet-ec2/skynet/traces/whole"
)

func main() {
	if err := write(".", "openapi.json"); err != nil {
		fmt.Fprintln(os.Stderr, "describe:", err)
		os.Exit(1)
	}
}

func write(source, name string) error {
	text, err := describe(source)
	if err != nil {
		return err
	}
	return whole.WriteFile(name, text)
}

// describe returns the OpenAPI document for the package whose source stands in
// a folder.
func describe(source string) ([]byte, error) {
	words, err := readComments(source)
	if err != nil {
		return nil, err
	}
	text, err := json.MarshalIndent(document(words), "", " ")
	return append(text, '\n'), err
}
