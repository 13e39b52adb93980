package schema

import "embed"

// Files holds the JSON Schemas (draft 2020-12) of the public events' data,
// request.schema.json, cancel.schema.json, status.schema.json and
// refused.schema.json; an AsyncAPI
// document of the topics they travel in, asyncapi.yaml; the rules by which events
// change, README.md; and examples of each kind.
//
//go:embed *.schema.json asyncapi.yaml README.md examples/*.json
var Files embed.FS
