package iyzicotest_test

import (
	"strings"
	"testing"
	"time"

	"github.com/toplu/toplu/iyzico/iyzicotest"
)

func TestServerNeedsMerchants(t *testing.T) {
	t.Parallel()
	for name, merchants := range map[string]map[string]string{
		"none": nil, "no key": {"": "s"}, "no secret": {"k": ""}, "key that cannot be sent": {"a&b": "s"},
	} {
		if _, err := iyzicotest.NewServer(iyzicotest.Config{Merchants: merchants}); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	_, err := iyzicotest.NewServer(iyzicotest.Config{Settings: iyzicotest.Settings{Debit: "never"}})
	if err == nil || !strings.Contains(err.Error(), "debit") || !strings.Contains(err.Error(), "merchants") {
		t.Errorf("got %v, want both mistakes", err)
	}
}

func TestHTTPFailure(t *testing.T) {
	t.Parallel()
	for setting, want := range map[int][2]int{0: {400, 200}, 200: {200, 200}, 400: {400, 400}, 422: {422, 422}} {
		c := newClient(t, iyzicotest.Settings{HTTPFailure: setting})
		equal(t, "init", c.call("POST", "init", initBody("")).http, want[0])
		equal(t, "auth", c.auth("nobody").http, want[1])
		equal(t, "success", c.call("GET", "balance", nil).http, 200)
	}
}

func TestMissingLocale(t *testing.T) {
	t.Parallel()
	const path = "/v1/mass/payout/balance"
	for choice, want := range map[iyzicotest.MissingLocale]string{
		iyzicotest.MissingLocaleAccept: "",
		iyzicotest.MissingLocaleReject: "11",
	} {
		c := newClient(t, iyzicotest.Settings{MissingLocale: choice})
		equal(t, string(choice), c.do("GET", path, "", nil, sign(key, secret, path, nil)).json.ErrorCode, want)
		equal(t, string(choice)+": given", c.call("GET", "balance", nil).json.ErrorCode, "")
	}
}

func TestStrictJSON(t *testing.T) {
	t.Parallel()
	for strict, want := range map[bool]string{false: "success", true: "failure"} {
		c := newClient(t, iyzicotest.Settings{StrictJSON: strict})
		body := initBody("b", "1")
		equal(t, "documented fields", c.call("POST", "init", body).json.Status, "success")
		body["externalId"], body["locale"] = "another", "TR"
		equal(t, "another field", c.call("POST", "init", body).json.Status, want)
	}
}

func TestUnreadableBodies(t *testing.T) {
	t.Parallel()
	c := newClient(t, iyzicotest.Settings{MaxBodyBytes: 100})
	for body, want := range map[string]int{"": 400, "{": 400, "[]": 400, `"text"`: 400, strings.Repeat(" ", 101): 413} {
		const path = "/v1/mass/payout/init"
		a := c.do("POST", path, "?locale=en", []byte(body), sign(key, secret, path, []byte(body)))
		equal(t, "code", a.json.ErrorCode, "11")
		equal(t, "HTTP", a.http, want)
	}
}

func TestOtherAddresses(t *testing.T) {
	t.Parallel()
	c := newClient(t, iyzicotest.Settings{})
	equal(t, "unknown path", c.call("POST", "everything", nil).http, 404)
	equal(t, "wrong method", c.call("GET", "init", nil).http, 405)
}

func TestRateLimits(t *testing.T) {
	t.Parallel()
	for setting, status := range map[int]int{0: 200, 200: 200, 429: 429} {
		limits := map[iyzicotest.Op]int{}
		limits[iyzicotest.OpAuth] = 1
		c := newClient(t, iyzicotest.Settings{HTTPRateLimit: setting, RateLimits: limits})
		// Of three calls, two at least lie within one minute of the clock.
		var limited answer
		for range 3 {
			if a := c.auth("nobody"); a.json.ErrorCode == "50000" {
				limited = a
			}
		}
		equal(t, "code", limited.json.ErrorCode, "50000")
		equal(t, "HTTP", limited.http, status)
		equal(t, "another operation", c.call("GET", "balance", nil).json.ErrorCode, "")
	}
}

func TestRateLimitsAreForAMinute(t *testing.T) {
	t.Parallel()
	limits := map[iyzicotest.Op]int{}
	limits[iyzicotest.OpBalance] = 2
	w := newWorld(t, iyzicotest.Settings{RateLimits: limits})
	for range 3 {
		equal(t, "first", code(w.Balance(key)), "success")
		equal(t, "second", code(w.Balance(key)), "success")
		equal(t, "third", code(w.Balance(key)), "50000")
		equal(t, "another merchant's", code(w.Balance("merchant-b")), "success")
		w.wait(time.Minute)
	}
}

func TestDeposit(t *testing.T) {
	t.Parallel()
	c := newClient(t, iyzicotest.Settings{Balance: new(iyzicotest.Money(1_00))})
	deposit := func(body string) int {
		return c.do("POST", "/_simulator/deposit", "", []byte(body), "").http
	}
	equal(t, "deposit", deposit(`{"apiKey":"`+key+`","amount":"99.50"}`), 200)
	equal(t, "unknown key", deposit(`{"apiKey":"nobody","amount":"99.50"}`), 400)
	equal(t, "no amount", deposit(`{"apiKey":"`+key+`","amount":"much"}`), 400)
	if a := c.call("GET", "balance", nil); !strings.Contains(string(a.body), `"balance":"100.5"`) {
		t.Errorf("balance: got %s", a.body)
	}
}

func TestNoBreakSpacesOutsideStringsAreSpaces(t *testing.T) {
	t.Parallel()
	const path = "/v1/mass/payout/auth"
	for body, want := range map[string]string{
		"{\u00a0\"requestId\"\u00a0:\u00a0\"nobody\"\u00a0}": "SIM1002",
		"{\u00a0\"requestId\":\"no\\\"\u00a0body\"}":         "SIM1002", // a string stays what it is
		"{\u00a0\"requestId\u00a0\"}":                        "11",
		"{\u00a0\\":                                          "11",
	} {
		c := newClient(t, iyzicotest.Settings{})
		a := c.do("POST", path, "?locale=en", []byte(body), sign(key, secret, path, []byte(body)))
		equal(t, body, a.json.ErrorCode, want)
	}
}
