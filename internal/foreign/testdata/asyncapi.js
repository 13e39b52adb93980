// Reads an AsyncAPI document with the parser of the AsyncAPI project and prints
// what it finds: see asyncapi_test.go.
'use strict'
const { Parser, fromFile } = require('@asyncapi/parser')

async function main () {
  const { document, diagnostics } = await fromFile(new Parser(), process.argv[2]).parse()
  const messages = document?.allMessages().all().map((m) => ({
    title: m.title(), properties: Object.keys(m.payload()?.json()?.properties ?? {})
  })) ?? []
  console.log(JSON.stringify({
    version: document?.version() ?? '',
    channels: document?.allChannels().all().map((c) => c.address()) ?? [],
    messages,
    diagnostics: diagnostics.map((d) => ({ severity: d.severity, path: d.path.join('/'), text: d.message }))
  }))
}

main().catch((err) => { console.error(err); process.exit(1) })
