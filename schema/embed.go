package schema

import "embed"

// Files holds the JSON Schemas (draft 2020-12) of the public events' data,
// request.schema.json, status.schema.json and refused.schema.json, and an
// example of each kind in examples.
//
//go:embed *.schema.json examples/*.json
var Files embed.FS
