package config

import (
	"fmt"
	"strings"
)

// Example is the smallest configuration that is complete, as the reference
// shows it.
const Example = `kafka: {brokers: [127.0.0.1:9092]}
redis: {addrs: [127.0.0.1:6379]}
iyzico: {baseUrl: https://sandbox-api.iyzipay.com}
merchants:
  default: {apiKeyFile: secrets/api-key, secretKeyFile: secrets/secret-key}
`

// Reference is docs/configuration.md, made of the table of keys.
func Reference() string {
	var b strings.Builder
	b.WriteString(`# Configuration

<!-- Made of the table in internal/config/keys.go: go test ./internal/config -update -->

One YAML file, named by ` + "`--config`" + ` or ` + "`TOPLU_CONFIG`" + `. The smallest that is complete:

` + "```yaml\n" + Example + "```" + `

* **Environment.** Every key has a variable, which wins over the file: ` + "`kafka.brokers`" + ` is ` + "`TOPLU_KAFKA_BROKERS`" + `, ` + "`merchants.my-shop.apiKey`" + ` is ` + "`TOPLU_MERCHANTS_MY_SHOP_APIKEY`" + `. A variable set to nothing counts as not set. Merchants other than ` + "`default`" + ` must be named in the file (` + "`merchants: {my-shop: {}}`" + `) for their variables to be read.
* **Secrets** may stand in a file of their own: add ` + "`File`" + ` to the key (` + "`apiKeyFile`" + `, ` + "`TOPLU_REDIS_PASSWORDFILE`" + `). A relative path begins at the folder of the configuration file. Such a file is read again when it changes (that of ` + "`redis.sentinelPassword`" + ` only at the start), so that a key can be exchanged without a restart; how is in [security.md](security.md).
* **Lists** are YAML lists or texts with commas. **Durations** have a unit: ` + "`500ms`, `2s`, `1h`" + `. **Amounts** are decimals and read exactly.
* ` + "`toplu config check`" + ` names every mistake at once; ` + "`toplu config show`" + ` prints what is in force and where it comes from.
`)
	last := ""
	for i := range keys {
		k := &keys[i]
		if s := k.section(); s != last {
			last = s
			fmt.Fprintf(&b, "\n## %s\n\n| key | default | allowed | |\n|---|---|---|---|\n", s)
		}
		name := strings.Replace(k.name, "*", "<name>", 1)
		doc := k.doc
		if k.danger != "" {
			doc += " **Mind:** " + k.danger
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s: %s | %s |\n", name, defaultText(k), k.kind, cell(k.allowed), cell(doc))
	}
	return b.String()
}

func defaultText(k *key) string {
	switch {
	case k.required:
		return "**required**"
	case k.inherits != "":
		return "that of `" + k.inherits + "`"
	case k.def == "":
		return ""
	}
	return "`" + k.def + "`"
}

// cell keeps a text from ending a cell of a table.
func cell(s string) string { return strings.ReplaceAll(s, "|", `\|`) }
