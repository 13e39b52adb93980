// Package oncall answers the questions of the engineer on call from the logs
// and from Redis. It changes nothing.
package oncall
