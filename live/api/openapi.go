package api

import _ "embed"

// OpenAPI is the interface's description, an OpenAPI 3.1 document. go generate
// makes it of Calls, the types they carry and their comments.
//
//go:generate go run ./describe
//go:embed openapi.json
var OpenAPI []byte
