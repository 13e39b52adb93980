package iyzico

import (
	"context"
	"net/http"
)

// Cancel ends a batch that is not authorised. Neither its success nor its
// refusal proves that no money moves: only the batch read back as
// [BatchCanceled] with all its items [ItemCanceled] does.
//
//iyzico:operation POST /v1/mass/payout/cancel/{requestId}
func (c *Client) Cancel(ctx context.Context, requestID string) error {
	if err := pathSegment("requestId", requestID); err != nil {
		return c.reject(OpCancel, err)
	}
	return c.do(ctx, call{op: OpCancel, method: http.MethodPost, path: "/v1/mass/payout/cancel/" + requestID})
}
