package iyzico

import (
	"context"
	"errors"
	"net/http"
)

type wireRequestID struct {
	RequestID string `json:"requestId"`
}

// Auth lets the money of a batch go. It is the one call that pays.
//
// What a second one does is not documented, so it must be assumed to pay
// again. An error proves nothing about the payment unless it is
// [OutcomeNotSent]; not even a refusal does, and the way to find out is
// [Client.Retrieve].
//
//iyzico:operation POST /v1/mass/payout/auth
func (c *Client) Auth(ctx context.Context, requestID string) error {
	if requestID == "" {
		return c.reject(OpAuth, errors.New("requestId is missing"))
	}
	body, err := encode(wireRequestID{RequestID: requestID}, 128)
	if err != nil {
		return c.reject(OpAuth, err)
	}
	return c.do(ctx, call{op: OpAuth, method: http.MethodPost, path: "/v1/mass/payout/auth", body: body})
}
