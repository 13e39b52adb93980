package config

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // cut-offs have zones, and small images have none of them

	"github.com/toplu/toplu/schema"
)

// A kind reads one sort of value. Its parse gets what was written: one text,
// or the entries of a list.
type kind[T any] struct {
	name    string // for people: "duration"
	allowed string // for people: "1s to 30m, such as 10s"
	list    bool
	parse   func(texts []string) (T, error)
}

// one makes a kind of a function that reads a single text.
func one[T any](name, allowed string, parse func(string) (T, error)) kind[T] {
	return kind[T]{name: name, allowed: allowed, parse: func(texts []string) (T, error) {
		return parse(texts[0])
	}}
}

func duration(least, most time.Duration) kind[time.Duration] {
	return one("duration", fmt.Sprintf("%s to %s, written like 500ms, 2s or 1h", short(least), short(most)), func(s string) (time.Duration, error) {
		d, err := time.ParseDuration(s)
		switch {
		case err != nil:
			return 0, errors.New("is not a duration with a unit")
		case d < least:
			return 0, errors.New("is too short")
		case d > most:
			return 0, errors.New("is too long")
		}
		return d, nil
	})
}

func number(least, most int) kind[int] {
	return one("number", fmt.Sprintf("%d to %d", least, most), func(s string) (int, error) {
		n, err := strconv.Atoi(s)
		switch {
		case err != nil:
			return 0, errors.New("is not a whole number")
		case n < least:
			return 0, errors.New("is too small")
		case n > most:
			return 0, errors.New("is too large")
		}
		return n, nil
	})
}

func boolean() kind[bool] {
	return one("switch", "true or false", func(s string) (bool, error) {
		switch s {
		case "true":
			return true, nil
		case "false":
			return false, nil
		}
		return false, errors.New("is neither true nor false")
	})
}

func oneOf[T ~string](words ...T) kind[T] {
	var allowed []string
	for _, w := range words {
		allowed = append(allowed, string(w))
	}
	return one("word", strings.Join(allowed, ", "), func(s string) (T, error) {
		if !slices.Contains(allowed, s) {
			return "", errors.New("is none of the words allowed")
		}
		return T(s), nil
	})
}

// text reads anything that matches pattern, which allowed says in words.
func text(pattern, allowed string) kind[string] {
	re := regexp.MustCompile(`^(?:` + pattern + `)$`)
	return one("text", allowed, func(s string) (string, error) {
		if !re.MatchString(s) {
			return "", errors.New("has characters or a length that are not allowed")
		}
		return s, nil
	})
}

// word reads a name that other systems give, such as a user's.
func word() kind[string] {
	return text(`\S{0,255}`, "at most 255 characters, no blanks")
}

func path() kind[string] {
	return text(`[^\x00]*`, "a path")
}

var (
	errEmptySecret = errors.New("is empty")
	errBlankSecret = errors.New("has blanks around it or more than one line")
)

func secret() kind[Secret] {
	return one("secret", "not empty, without blanks around it", newSecret)
}

// amount reads a decimal exactly, as minor units. Nothing written is 0: no limit.
func amount() kind[int64] {
	return one("amount", "a decimal above zero such as 50000.00, or nothing for no limit", func(s string) (int64, error) {
		if s == "" {
			return 0, nil
		}
		n, err := schema.ParseMinor(s)
		switch {
		case err != nil:
			return 0, fmt.Errorf("is %w", err)
		case n == 0:
			return 0, errors.New("is zero")
		}
		return n, nil
	})
}

func list(allowed string, check func(string) error) kind[[]string] {
	return listOf(allowed, func(s string) (string, error) { return s, check(s) })
}

func addresses() kind[[]string] {
	return list("host:port, several as a YAML list or with commas", func(s string) error {
		host, port, err := net.SplitHostPort(s)
		if n, bad := strconv.ParseUint(port, 10, 16); err != nil || host == "" || bad != nil || n == 0 {
			return errors.New("is not host:port")
		}
		return nil
	})
}

func listenAddress() kind[string] {
	return one("address", "host:port; port 0 takes any free one", func(s string) (string, error) {
		_, port, err := net.SplitHostPort(s)
		if _, bad := strconv.ParseUint(port, 10, 16); err != nil || bad != nil {
			return "", errors.New("is not host:port")
		}
		return s, nil
	})
}

var topicName = regexp.MustCompile(`^[A-Za-z0-9._-]{1,249}$`)

func topicNames() kind[[]string] {
	return list("names of topics, of A-Z a-z 0-9 . _ -, as a YAML list or with commas", func(s string) error {
		if !topicName.MatchString(s) || s == "." || s == ".." {
			return errors.New("is not the name of a topic")
		}
		return nil
	})
}

func codes() kind[[]string] {
	return list("iyzico's error codes, as a YAML list or with commas", func(s string) error {
		if s == "" || strings.ContainsAny(s, " \t") {
			return errors.New("is not an error code")
		}
		return nil
	})
}

// baseURL reads where iyzico is. Plain HTTP would show recipients and
// signatures to everybody on the way, so it is for this machine only.
func baseURL() kind[*url.URL] {
	return one("URL", "https://host, or http://host:port on this machine (127.0.0.1, ::1, localhost)", func(s string) (*url.URL, error) {
		u, err := url.Parse(s)
		switch {
		case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
			return nil, errors.New("is not an http or https URL")
		case u.RawQuery != "" || u.Fragment != "" || u.User != nil:
			return nil, errors.New("has a user, query or fragment")
		case u.Scheme == "http" && !loopback(u.Hostname()):
			return nil, errors.New("is plain http to another machine")
		}
		return u, nil
	})
}

func timeOfDay() kind[TimeOfDay] {
	return one("time of day", "00:00 to 23:59, in quotes, or nothing", func(s string) (TimeOfDay, error) {
		if s == "" {
			return 0, nil
		}
		t, err := time.Parse("15:04", s)
		if err != nil || len(s) != len("15:04") {
			return 0, errors.New("is not a time such as 17:00")
		}
		return TimeOfDay(t.Hour()*60 + t.Minute() + 1), nil
	})
}

func zone() kind[*time.Location] {
	return one("zone", "a name of the IANA database, such as Europe/Istanbul or UTC", func(s string) (*time.Location, error) {
		loc, err := time.LoadLocation(s)
		if err != nil || s == "" || s == "Local" {
			return nil, errors.New("is not a zone of the IANA database")
		}
		return loc, nil
	})
}

// listOf reads a list of what parse reads one of.
func listOf[T any](allowed string, parse func(string) (T, error)) kind[[]T] {
	return kind[[]T]{name: "list", allowed: allowed, list: true, parse: func(texts []string) ([]T, error) {
		all := make([]T, len(texts))
		for i, s := range texts {
			var err error
			if all[i], err = parse(s); err != nil {
				return nil, fmt.Errorf("has an entry, number %d, that %w", i+1, err)
			}
		}
		return all, nil
	}}
}

func weekdays() kind[[]time.Weekday] {
	return listOf("mon, tue, wed, thu, fri, sat, sun, as a YAML list or with commas", func(s string) (time.Weekday, error) {
		for d := time.Sunday; d <= time.Saturday; d++ {
			if s == strings.ToLower(d.String()[:3]) {
				return d, nil
			}
		}
		return 0, errors.New("is not a day of the week")
	})
}

func dates() kind[[]string] {
	return listOf("dates such as 2026-10-29, as a YAML list or with commas", func(s string) (string, error) {
		if _, err := time.Parse(time.DateOnly, s); err != nil {
			return "", errors.New("is not a date")
		}
		return s, nil
	})
}

func startAt() kind[StartAt] {
	return one("place", "first, now, or a time such as 2026-01-31T09:00:00Z; nothing for first with the check of a first start", func(s string) (StartAt, error) {
		switch m := StartMode(s); m {
		case StartUnset, StartFirst, StartNow:
			return StartAt{Mode: m}, nil
		case StartTime:
		}
		t, err := time.Parse(time.RFC3339, s)
		if err != nil {
			return StartAt{}, errors.New("is neither first, now nor an RFC 3339 time")
		}
		return StartAt{Mode: StartTime, Time: t}, nil
	})
}

// short writes a duration without the zero parts that String leaves: "1h",
// not "1h0m0s".
func short(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}
