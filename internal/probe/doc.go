// Package probe finds out, in iyzico's sandbox, what iyzico's pages leave open
// about the Mass Payout API: each question is a handful of calls with payouts of
// 1.00, and each answer names the setting of the simulator (iyzico/iyzicotest)
// that behaves alike, and what it means for toplu.
//
// It is for the sandbox alone: [Allowed] says for which host and keys.
// docs/iyzico-open-points.md has the whole list of open points.
package probe
