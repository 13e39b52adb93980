package iyzico

import (
	"context"
	"net/http"
)

// Balance returns what the merchant has for mass payouts. The answer names no
// currency. One without a balance is an unknown outcome, never 0.
//
//iyzico:operation GET /v1/mass/payout/balance
func (c *Client) Balance(ctx context.Context) (Money, error) {
	var balance Money
	found := false
	err := c.do(ctx, call{
		op: OpBalance, method: http.MethodGet, path: "/v1/mass/payout/balance",
		read: func(s *scanner, key []byte) {
			switch {
			case string(key) != "balance":
				s.skip()
			case !s.null():
				balance, found = s.money(), true
			}
		},
		needs: "balance", has: func() bool { return found },
	})
	if err != nil {
		return 0, err
	}
	return balance, nil
}
