package config

import "slices"

// A Setting is a key that is in force, for `toplu config show`.
type Setting struct {
	Key   string `json:"key"`
	Value string `json:"value"` // lists with commas; a secret is "***"
	From  string `json:"from"`  // default, file:line, env NAME, or secret file PATH
	Env   string `json:"env"`   // the variable that would override it
}

// Settings lists every key in force and where its value comes from, in the
// order of docs/configuration.md.
func (c *Config) Settings() []Setting { return slices.Clone(c.settings) }

func (l *loader) show(k *key, name string, v value) {
	l.cfg.settings = append(l.cfg.settings, Setting{Key: name, Value: display(k, v.texts), From: v.where, Env: EnvName(name)})
}
