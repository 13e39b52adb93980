// Package config reads toplu's configuration: one YAML file, environment
// variables over it, secrets from files of their own.
//
// # One table
//
// The table in keys.go has a row for every key: its name, kind, default,
// limits, dangers and meaning. Everything else is read off it: what [Load]
// accepts, what an unknown key was probably meant to be, the environment
// variable of a key ([EnvName]), what `toplu config show` prints
// ([Config.Settings]) and docs/configuration.md ([Reference]).
//
// # Who wins
//
// A key's value is the environment's, else the file's, else the default. A
// secret may instead be named by a file: apiKeyFile beside apiKey. A variable
// that is set to nothing counts as not set.
//
// # Mistakes
//
// [Load] reports every mistake at once, in an [*InvalidError]: the key, its value
// (a secret's never), where it was written, what is wrong and what is allowed.
package config
