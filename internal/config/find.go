package config

import (
	"strings"
)

// A value is what was found for a key, and where. Without texts nothing was.
type value struct {
	texts []string
	where string // file:line, env NAME, or a secret file with the place that names it
	line  int
	file  string // the secret file that it was read from
}

// find looks for a key in the environment and then in the file. It reports
// false after a problem that makes the value unusable.
func (l *loader) find(k *key, name string) (value, bool) {
	plain, inFile := l.fromEnv(name), l.fromEnv(name+"File")
	if plain.texts == nil && (!k.secret || inFile.texts == nil) {
		plain, inFile = l.fromFile(name), l.fromFile(name+"File")
	}
	if !k.secret {
		inFile = value{}
	}
	switch {
	case plain.texts != nil && inFile.texts != nil:
		l.problem(Problem{Key: name, Where: plain.where, Reason: "is given twice, also as " + lastPart(name) + "File (" + inFile.where + ")", Allowed: "one of the two", line: plain.line})
		return value{}, false
	case inFile.texts != nil:
		return l.fromSecretFile(k, name, inFile)
	case plain.texts == nil:
		return value{}, true
	}
	return l.shaped(k, name, plain)
}

func (l *loader) fromEnv(name string) value {
	if s := l.env(EnvName(name)); s != "" {
		return value{texts: []string{s}, where: "env " + EnvName(name)}
	}
	return value{}
}

func (l *loader) fromFile(name string) value {
	e, ok := l.file.entries[name]
	if !ok {
		return value{}
	}
	return value{texts: e.texts, where: l.file.where(e.line), line: e.line}
}

// fromSecretFile reads the file that v names. A section that is not needed
// keeps its secrets: whoever runs the command may not be allowed to see them.
func (l *loader) fromSecretFile(k *key, name string, v value) (value, bool) {
	bad := Problem{Key: name + "File", Where: v.where, Allowed: "the path of a file", line: v.line}
	if len(v.texts) != 1 || v.texts[0] == "" {
		bad.Reason = "names no file"
		l.problem(bad)
		return value{}, false
	}
	path := v.texts[0]
	if !l.needs(k.section()) {
		l.show(k, name, value{where: "secret file " + path + ", not read (" + v.where + ")"})
		return value{}, false
	}
	file := l.resolve(path)
	s, err := readSecret(file)
	if err != nil {
		bad.Reason = err.Error()
		l.problem(bad)
		return value{}, false
	}
	return value{texts: []string{s}, where: "secret file " + path + " (" + v.where + ")", line: v.line, file: file}, true
}

// shaped makes a list of a text with commas, and refuses a list where one
// value belongs.
func (l *loader) shaped(k *key, name string, v value) (value, bool) {
	isList := l.file.entries[name].list && v.line > 0
	switch {
	case isList && !k.list:
		l.problem(Problem{Key: name, Where: v.where, Reason: "is a list where one value belongs", Allowed: k.allowed, line: v.line})
		return value{}, false
	case !isList:
		v.texts = split(k, v.texts[0])
	}
	if k.list && len(v.texts) == 0 { // an empty list is as good as none
		v.texts = nil
	}
	return v, true
}

// split is the value of a key as it is written in one text.
func split(k *key, text string) []string {
	if !k.list {
		return []string{text}
	}
	var texts []string
	for part := range strings.SplitSeq(text, ",") {
		if part = strings.TrimSpace(part); part != "" {
			texts = append(texts, part)
		}
	}
	return texts
}

// display is a value for people. What is a secret, or may hold one as
// user:password@host does, is not shown.
func display(k *key, texts []string) string {
	joined := strings.Join(texts, ",")
	if joined != "" && k.secret || strings.Contains(joined, "@") {
		return hidden
	}
	return joined
}
