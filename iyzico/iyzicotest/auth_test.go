package iyzicotest_test

import (
	"testing"
	"time"

	"github.com/toplu/toplu/iyzico/iyzicotest"
)

func TestSecondAuth(t *testing.T) {
	t.Parallel()
	for choice, want := range map[iyzicotest.SecondAuth]struct {
		code     string
		payments int
	}{
		iyzicotest.SecondAuthSuccess:   {"success", 1},
		iyzicotest.SecondAuthFailure:   {"SIM1004", 1},
		iyzicotest.SecondAuthPaysAgain: {"success", 2},
	} {
		for _, when := range []time.Duration{0, 500 * time.Millisecond, time.Hour} { // before, amid and after payment
			w := newWorld(t, iyzicotest.Settings{SecondAuth: choice, Balance: new(iyzicotest.Money(1000_00))})
			requestID := w.init("b", "1", "2")
			w.auth(requestID)
			w.wait(when)
			equal(t, string(choice), code(w.Auth(key, requestID)), want.code)
			w.settle()
			equal(t, string(choice)+": payments of 1", w.payments()["1"], want.payments)
			equal(t, string(choice)+": payments of 2", w.payments()["2"], want.payments)
			equal(t, string(choice)+": balance", w.balance(), iyzicotest.Money(1000_00-240_00*want.payments))
		}
	}
}

func TestAuthOfNothing(t *testing.T) {
	t.Parallel()
	for choice, want := range map[iyzicotest.UnknownRequest]int{
		iyzicotest.UnknownRequestFailure: 200,
		iyzicotest.UnknownRequestHTTP404: 404,
	} {
		w := newWorld(t, iyzicotest.Settings{UnknownRequest: choice})
		a := w.Auth(key, "nobody")
		equal(t, "unknown", code(a), "SIM1002")
		equal(t, "unknown: HTTP", a.HTTPStatus, want)

		requestID := w.init("b", "1")
		w.Cancel(key, requestID)
		a = w.Auth(key, requestID)
		equal(t, "cancelled", code(a), "SIM1003")
		equal(t, "cancelled: HTTP", a.HTTPStatus, want)
		w.settle()
		equal(t, "payments", len(w.payments()), 0)
	}
}

func TestAuthAnswerMayLie(t *testing.T) {
	t.Parallel()
	for choice, want := range map[iyzicotest.AuthAnswer]string{
		iyzicotest.AuthAnswerHonest:  "success",
		iyzicotest.AuthAnswerFailure: "SIM1013",
	} {
		w := newWorld(t, iyzicotest.Settings{AuthAnswer: choice})
		requestID := w.init("b", "1")
		equal(t, string(choice), code(w.Auth(key, requestID)), want)
		w.settle()
		equal(t, string(choice)+": payments", w.payments()["1"], 1)
	}
}

func TestAuthVisibleAfter(t *testing.T) {
	t.Parallel()
	s := iyzicotest.Settings{AuthVisibleAfter: iyzicotest.Duration(time.Minute)}

	w := newWorld(t, s)
	requestID := w.init("b", "1")
	w.auth(requestID)
	w.wait(59 * time.Second)
	equal(t, "before", w.status(requestID), "INIT")
	w.wait(2 * time.Second)
	equal(t, "after", w.status(requestID), "COMPLETED")
	equal(t, "payments", w.payments()["1"], 1)

	// A cancel in between voids the auth, for ever.
	w = newWorld(t, s)
	requestID = w.init("b", "1")
	w.auth(requestID)
	equal(t, "cancel", code(w.Cancel(key, requestID)), "success")
	w.wait(time.Hour)
	equal(t, "cancelled", w.status(requestID), "CANCELED")
	equal(t, "payments after cancel", w.payments()["1"], 0)
}

func TestRequestTTL(t *testing.T) {
	t.Parallel()
	w := newWorld(t, iyzicotest.Settings{RequestTTL: iyzicotest.Duration(time.Hour)})
	early, late := w.init("early", "1"), w.init("late", "2")
	w.wait(time.Hour)
	w.auth(early)
	w.wait(time.Second)
	equal(t, "auth too late", code(w.Auth(key, late)), "SIM1006")
	equal(t, "cancel too late", code(w.Cancel(key, late)), "SIM1006")
	equal(t, "the expired batch", w.status(late), "INIT")
	equal(t, "withdrawn", w.Withdraw(early), false)
	equal(t, "withdrawn", w.Withdraw(late), true)
	equal(t, "the withdrawn batch", w.status(late), "CANCELED")
	equal(t, "auth of it", code(w.Auth(key, late)), "SIM1003")
	equal(t, "the other one", w.status(early), "COMPLETED")
	w.wait(time.Hour)
	equal(t, "cancel of an authorised batch", code(w.Cancel(key, early)), "SIM1005")
	equal(t, "its second auth", code(w.Auth(key, early)), "success")

	w = newWorld(t, iyzicotest.Settings{})
	requestID := w.init("b", "1")
	w.wait(10_000 * time.Hour)
	equal(t, "without a limit", code(w.Auth(key, requestID)), "success")
}

func TestBalanceCheck(t *testing.T) {
	t.Parallel()
	for choice, want := range map[iyzicotest.BalanceCheck]struct{ code, status string }{
		iyzicotest.BalanceCheckWorker: {"success", "INSUFFICIENT_BALANCE"},
		iyzicotest.BalanceCheckAtAuth: {"SIM1010", "INIT"},
	} {
		w := newWorld(t, iyzicotest.Settings{BalanceCheck: choice, Balance: new(iyzicotest.Money(119_99))})
		requestID := w.init("b", "1") // 100.00, and 20.00 of commission
		equal(t, string(choice), code(w.Auth(key, requestID)), want.code)
		w.settle()
		equal(t, string(choice)+": batch", w.status(requestID), want.status)
		equal(t, string(choice)+": item", w.items(requestID)[0], "INIT")
		equal(t, string(choice)+": payments", w.payments()["1"], 0)
		equal(t, string(choice)+": balance", w.balance(), 119_99)

		w.Deposit(key, 1)
		equal(t, string(choice)+": balance after deposit", w.balance(), 120_00)
		other := w.paid("b2", "2")
		equal(t, string(choice)+": batch with funds", w.status(other), "COMPLETED")
		equal(t, string(choice)+": balance in the end", w.balance(), 0)
	}
}
