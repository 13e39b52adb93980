package probe

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
)

// sandboxHost is iyzico's, for keys that begin with sandboxPrefix.
const (
	sandboxHost   = "sandbox-api.iyzipay.com"
	sandboxPrefix = "sandbox-"
)

// Allowed returns an error unless the host is iyzico's sandbox and both keys are
// the sandbox's, or the host is this machine, where only a simulator can be.
// The error shows no key.
func Allowed(base *url.URL, apiKey, secretKey string) error {
	host := base.Hostname()
	if ip := net.ParseIP(host); host == "localhost" || ip != nil && ip.IsLoopback() {
		return nil
	}
	if host != sandboxHost || base.Scheme != "https" {
		return fmt.Errorf("probe: %s is not iyzico's sandbox (https://%s): it authorises batches and pays, so it goes nowhere else", base.Host, sandboxHost)
	}
	if !strings.HasPrefix(apiKey, sandboxPrefix) || !strings.HasPrefix(secretKey, sandboxPrefix) {
		return errors.New("probe: these are no keys of the sandbox: those begin with " + sandboxPrefix)
	}
	return nil
}
