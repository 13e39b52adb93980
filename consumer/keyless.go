package consumer

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/rs/zerolog"
)

// A merchant whose key of the month is not there has its requests wait, and only
// its own. Nothing of them is written in clear, given up or answered: they stand in
// memory and are not committed, so a crash has them read again. The others' are
// planned beside them, and what can be committed before them is. When
// [Config.MaxUnanswered] requests have gathered behind the first that waits, there
// is no more room, and all wait.

// keyEvery is how often a key that is not there is looked for.
const keyEvery = time.Second

// keyless is what waits for a key. It belongs to the goroutine that runs loop.
type keyless struct {
	log       zerolog.Logger
	merchants map[string]time.Time // with sealed batches: when they are tried again
	dead      []dead               // letters
	next      time.Time            // when these are tried again
	told      string               // the last trouble with one
	freed     []*event             // what waited behind batches that are in the log now
	full      bool                 // nothing more is read
}

func newKeyless(log zerolog.Logger) *keyless {
	return &keyless{log: log, merchants: map[string]time.Time{}}
}

func (k *keyless) empty() bool { return len(k.merchants) == 0 && len(k.dead) == 0 }

// waits reports whether a merchant's batches are not to be tried yet.
func (k *keyless) waits(merchant string, now time.Time) bool {
	return now.Before(k.merchants[merchant])
}

// batch takes in a batch that could not be sealed.
func (k *keyless) batch(b *batch, now time.Time) {
	if _, known := k.merchants[b.key.merchant]; !known {
		k.log.Error().Err(b.noKey).Str("merchant", b.key.merchant).Msg("there is no key to seal with: this merchant's requests wait until toplu keys create, the others' go on")
	}
	k.merchants[b.key.merchant] = now.Add(keyEvery)
}

// letter takes in a letter that could not be sealed.
func (k *keyless) letter(d dead, err error) {
	if !d.waited {
		d.waited, d.Message = true, d.Message.Clone() // and not what it was read with
	}
	k.dead = append(k.dead, d)
	if text := err.Error(); text != k.told {
		k.told = text
		k.log.Error().Err(err).Msg("there is no key to seal dead letters with: they wait until toplu keys create")
	}
}

// behind has an event wait until it is in the log whose request it meets: only
// then is it known what becomes of it. False: that needs no key, or is a request
// once more, which waits by itself.
func (k *keyless) behind(e *event, first pending) bool {
	b := first.batch
	_, locked := k.merchants[b.key.merchant]
	if !locked || !b.sealed || e.cancel == nil && e.content == first.content {
		return false
	}
	b.wait(e)
	return true
}

// wait has an event decided about when the batch is in the log.
func (b *batch) wait(e *event) {
	own := *e // and not what it was read with
	own.message = own.message.Clone()
	b.behind = append(b.behind, &own)
}

// landed notes that a batch is in the log.
func (k *keyless) landed(b *batch) {
	if _, was := k.merchants[b.key.merchant]; was {
		delete(k.merchants, b.key.merchant)
		k.log.Info().Str("merchant", b.key.merchant).Msg("the key is there: this merchant's requests go on")
	}
	k.freed = append(k.freed, b.behind...)
	b.behind = nil
}

// until is how long nothing is to be tried, false if nothing waits.
func (k *keyless) until(now time.Time) (time.Duration, bool) {
	switch {
	case len(k.freed) > 0:
		return 0, true
	case k.empty():
		return 0, false
	}
	due := slices.Collect(maps.Values(k.merchants))
	if len(k.dead) > 0 {
		due = append(due, k.next)
	}
	return max(0, slices.MinFunc(due, time.Time.Compare).Sub(now)), true
}

// source is where requests come from, nil while there is no room for more.
func (r *run) source() <-chan fetched {
	full := !r.keyless.empty() && r.unanswered() >= r.cfg.MaxUnanswered
	if full && !r.keyless.full {
		r.cfg.Log.Error().Int("requests", r.unanswered()).Msg("no more requests are read, of any merchant, until toplu keys create: too many have gathered behind those that wait for their key")
	}
	r.keyless.full = full
	if full {
		return nil
	}
	return r.in
}

// tryKeys goes on with what waits for a key, if it is there now, and then with what
// waited behind that.
func (r *run) tryKeys(ctx, work context.Context) error {
	if wait, some := r.keyless.until(r.cfg.Now()); !some || wait > 0 {
		return nil
	}
	if err := r.flush(work); err != nil {
		return err
	}
	if err := r.postKeyless(work); err != nil {
		return err
	}
	freed := r.keyless.freed
	r.keyless.freed = nil
	return r.rounds(ctx, work, freed, true)
}

// postKeyless tries the letters without a key again.
func (r *run) postKeyless(ctx context.Context) error {
	k := r.keyless
	if len(k.dead) == 0 || r.cfg.Now().Before(k.next) {
		return nil
	}
	k.next = r.cfg.Now().Add(keyEvery)
	r.letters.dead = append(k.dead, r.letters.dead...)
	k.dead = nil
	err := r.post(ctx)
	if len(k.dead) == 0 {
		k.told = ""
	}
	return err
}
