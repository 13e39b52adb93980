package config

import (
	"cmp"
	"fmt"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// EnvName is the environment variable of a key: kafka.brokers is
// TOPLU_KAFKA_BROKERS, and a merchant's "-" becomes "_".
func EnvName(name string) string {
	return "TOPLU_" + strings.NewReplacer(".", "_", "-", "_").Replace(strings.ToUpper(name))
}

// Load reads the file at path and what env overrides in it. Without a path the
// environment is all there is.
//
// With sections named, only these must be complete, and only their secret
// files are read: a machine that creates topics need not hold the merchants'
// keys. What is written in other sections is still checked.
//
// The error is an [*InvalidError] with every mistake, or says why the file could
// not be read.
func Load(path string, env func(string) string, sections ...string) (*Config, error) {
	l := &loader{found: map[string]value{}, file: &file{}, env: env, sections: sections, cfg: &Config{Merchants: map[string]Merchant{}}}
	if path != "" {
		f, err := readFile(path)
		if err != nil {
			return nil, err
		}
		l.file, l.dir, l.problems = f, filepath.Dir(path), f.problems
	}
	l.values()
	l.agreement()
	if len(l.problems) > 0 {
		sortProblems(l.problems)
		return nil, &InvalidError{Problems: l.problems}
	}
	return l.cfg, nil
}

// A loader is one run of [Load].
type loader struct {
	file     *file
	dir      string // relative paths begin here
	env      func(string) string
	sections []string
	cfg      *Config
	problems []Problem
	found    map[string]value // what is in force, by key
}

func (l *loader) needs(section string) bool {
	return len(l.sections) == 0 || slices.Contains(l.sections, section)
}

func (l *loader) problem(p Problem) { l.problems = append(l.problems, p) }

// values sets every field, merchant by merchant where it is theirs.
func (l *loader) values() {
	for i := range keys {
		if k := &keys[i]; !k.ofMerchant() {
			l.set(k, k.name, nil)
		}
	}
	l.merchants()
	l.inOrder()
	k, r := &l.cfg.Kafka, &l.cfg.Redis
	for _, file := range []*string{&k.CAFile, &k.CertFile, &k.KeyFile, &r.CAFile, &r.CertFile, &r.KeyFile, &l.cfg.Tracing.File, &l.cfg.Seal.KeyDir} {
		*file = l.resolve(*file)
	}
}

// inOrder brings the settings into the order of the table's sections: merchants
// come last, since they inherit from the others.
func (l *loader) inOrder() {
	rank := map[string]int{}
	for i := range keys {
		if s := keys[i].section(); rank[s] == 0 {
			rank[s] = i + 1
		}
	}
	slices.SortStableFunc(l.cfg.settings, func(a, b Setting) int { return rank[section(a.Key)] - rank[section(b.Key)] })
}

var merchantName = regexp.MustCompile(`^[a-z0-9-]{1,32}$`)

// merchants sets the fields of every merchant: those of the file, and
// "default" if the environment knows it.
func (l *loader) merchants() {
	names := slices.Sorted(maps.Keys(l.file.merchants))
	if _, ok := l.file.merchants["default"]; !ok && l.inEnvironment("default") {
		names = append(names, "default")
	}
	if len(names) == 0 && l.needs("merchants") {
		l.problem(Problem{Key: "merchants", Reason: "is missing: no account to pay from", Allowed: "merchants.default.apiKey and secretKey, or any other name"})
	}
	for _, name := range names {
		line := l.file.merchants[name]
		if !merchantName.MatchString(name) {
			l.problem(Problem{Key: merchantPrefix + name, Where: l.file.where(line), Reason: "is not a merchant's name", Allowed: "1 to 32 of a-z 0-9 -", line: line})
			continue
		}
		var m Merchant
		for i := range keys {
			if k := &keys[i]; k.ofMerchant() {
				l.set(k, strings.Replace(k.name, "*", name, 1), &m)
			}
		}
		l.cfg.Merchants[name] = m
	}
}

func (l *loader) inEnvironment(merchant string) bool {
	for i := range keys {
		name := strings.Replace(keys[i].name, "*", merchant, 1)
		if keys[i].ofMerchant() && cmp.Or(l.env(EnvName(name)), l.env(EnvName(name+"File"))) != "" {
			return true
		}
	}
	return false
}

// set finds a key's value, checks it and puts it where it belongs.
func (l *loader) set(k *key, name string, m *Merchant) {
	v, ok := l.find(k, name)
	if ok && v.texts == nil {
		v, ok = l.absent(k, name)
	}
	if !ok {
		return
	}
	if v.texts != nil {
		if err := k.set(l.cfg, m, v); err != nil {
			l.problem(Problem{Key: name, Value: display(k, v.texts), Where: v.where, Reason: err.Error(), Allowed: k.allowed, line: v.line})
			return
		}
	}
	l.found[name] = v
	l.show(k, name, v)
}

// absent is what is in force where nobody has written a key. Without texts it is
// the zero value.
func (l *loader) absent(k *key, name string) (value, bool) {
	switch {
	case k.required:
		if l.needs(k.section()) {
			l.problem(l.missing(k, name))
		}
		return value{}, false
	case k.inherits != "":
		v, ok := l.found[k.inherits] // if it is not there, what is wrong with it is said already
		v.where = k.inherits + ", " + v.where
		return v, ok
	case k.def == "":
		return value{where: "default"}, true
	}
	return value{texts: split(k, k.def), where: "default"}, true
}

func (l *loader) missing(k *key, name string) Problem {
	reason := "is missing; set it in the file or as " + EnvName(name)
	if k.secret {
		reason = fmt.Sprintf("is missing; set it, or %sFile, in the file or as %s", lastPart(name), EnvName(name))
	}
	return Problem{Key: name, Reason: reason, Allowed: k.allowed}
}

// agreement checks what no single key can: whether they fit each other.
func (l *loader) agreement() {
	c, disagree := l.cfg, l.disagree
	if c.Kafka.Replication > 0 && c.Kafka.MinInsyncReplicas > c.Kafka.Replication {
		disagree("kafka.minInsyncReplicas", "is more than kafka.replication: nothing could be written")
	}
	if c.Report.MaxInterval > 0 && c.Report.Interval > c.Report.MaxInterval {
		disagree("report.interval", "is longer than report.maxInterval")
	}
	l.fullTopics()
	l.agreementOnMerchants(disagree)
	l.agreementOnSecurity(disagree)
}

// disagree says what is wrong with a key beside others.
func (l *loader) disagree(name, reason string) {
	e := l.file.entries[name]
	p := Problem{Key: name, Reason: reason, line: e.line}
	if e.line > 0 && l.env(EnvName(name)) == "" {
		p.Where = l.file.where(e.line)
	}
	l.problem(p)
}

// resolve makes a path that is relative to the configuration file absolute to
// this process.
func (l *loader) resolve(path string) string {
	if path == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(l.dir, path)
}
