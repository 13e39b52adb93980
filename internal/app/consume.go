package app

import (
	"context"
)

func (s *service) runConsumer(ctx context.Context) error { <-ctx.Done(); return nil }
