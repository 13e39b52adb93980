// Package deploytest holds deployments/ against the code: configurations are
// loaded as toplu loads them, metrics that alerts, dashboard and scaling ask for
// must exist, and every alert must say which part of the runbook to open.
//
// Its long test also runs deployments/check.sh, which has each file checked by
// its own tool.
package deploytest
