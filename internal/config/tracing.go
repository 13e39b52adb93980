package config

import (
	"errors"
	"net/url"
	"regexp"
	"strconv"
)

// traceURL reads where traces are sent. There are only ids in them, so plain
// HTTP within a cluster will do.
func traceURL() kind[string] {
	return one("URL", "http or https, nothing for none", func(s string) (string, error) {
		u, err := url.Parse(s)
		switch {
		case s == "":
			return "", nil
		case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
			return "", errors.New("is not an http or https URL")
		case u.User != nil:
			return "", errors.New("has a user")
		}
		return s, nil
	})
}

// share reads a part of the whole, as millionths.
func share() kind[int] {
	const whole = 1_000_000
	form := regexp.MustCompile(`^(0|1)(?:\.([0-9]{1,6}))?$`)
	return one("share", "0 to 1 with at most six decimals, such as 0.01", func(s string) (int, error) {
		m := form.FindStringSubmatch(s)
		if m == nil {
			return 0, errors.New("is not a share of at most six decimals")
		}
		n, err := strconv.Atoi(m[1] + (m[2] + "000000")[:6])
		if err != nil || n > whole {
			return 0, errors.New("is more than 1")
		}
		return n, nil
	})
}
