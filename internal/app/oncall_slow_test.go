//go:build integration && slow

package app_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/toplu/toplu/internal/realparts"
)

// TestSlowManyPayouts says what a replay and an audit cost: of 100,000 requests
// that are known, with 10 among them that nobody ever took.
func TestSlowManyPayouts(t *testing.T) {
	const payouts = 100_000
	s := newRealShift(t, realparts.Kafka42, 200*time.Millisecond)
	s.send(t, "lost-0", "lost-1", "lost-2", "lost-3", "lost-4", "lost-5", "lost-6", "lost-7", "lost-8", "lost-9")
	s.env = plus(s.env, "TOPLU_BATCH_MAXITEMS=1000", "TOPLU_KAFKA_STARTAT=now")
	s.start(t)
	s.until(t, func(result) bool { return s.began(t) }, "topics", "check")
	for from := 0; from < payouts; from += 10_000 {
		ids := make([]string, 10_000)
		for i := range ids {
			ids[i] = fmt.Sprintf("many-%06d", from+i)
		}
		s.send(t, ids...)
	}
	for deadline := time.Now().Add(10 * time.Minute); ; time.Sleep(500 * time.Millisecond) {
		st := loose[statusJSON](t, s.run(t, "status", "--json"))
		if st.Requests[0].Lag+st.Requests[1].Lag == 0 && len(st.States) == 0 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("not answered in time: %+v", st)
		}
	}
	toplu := filepath.Join(t.TempDir(), "toplu")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", toplu, "../../cmd/toplu").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	path := filepath.Join(t.TempDir(), "lost.plan")
	plan := loose[replayJSON](t, s.measured(t, toplu, "replay", "plan", "--from", "0", "--out", path, "--json"))
	if len(plan.New) != 10 || plan.Sums["TRY"] != "100.00" || plan.Known["paid"] != payouts || plan.Read != payouts+10 {
		t.Fatalf("%+v", plan)
	}
	for _, it := range plan.New {
		if !strings.HasPrefix(it.PayoutID, "lost-") {
			t.Errorf("%s is called new", it.PayoutID)
		}
	}
	if ran := loose[replayJSON](t, s.measured(t, toplu, "replay", "run", path, "--yes", "--json")); ran.Sent != 10 {
		t.Fatalf("%+v", ran)
	}
	for i := range 10 {
		s.says(t, ": paid", "explain", fmt.Sprintf("lost-%d", i))
	}
	s.stop()
	for _, args := range [][]string{nil, {"--iyzico"}} {
		r := s.measured(t, toplu, append([]string{"audit", "--json"}, args...)...)
		if v := loose[auditJSON](t, r); r.code != 0 || !v.Agrees || len(v.Sums) != 1 || v.Sums[0].Count != payouts+10 {
			t.Errorf("%s", r.out[:min(len(r.out), 5000)])
		}
	}
}

// measured runs toplu as a process of its own and says what it took.
func (s *shift) measured(t *testing.T, toplu string, args ...string) result {
	t.Helper()
	var out, errs bytes.Buffer
	c := exec.CommandContext(t.Context(), toplu, args...)
	c.Stdout, c.Stderr = &out, &errs
	for name, value := range s.env {
		c.Env = append(c.Env, name+"="+value)
	}
	began := time.Now()
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = c.Wait() // its exit status is looked at by whoever asked
	}()
	most := 0
	for running := true; running; {
		most = max(most, residentMiB(c.Process.Pid))
		select {
		case <-ended:
			running = false
		case <-time.After(10 * time.Millisecond):
		}
	}
	took, cpu := time.Since(began), c.ProcessState.UserTime()+c.ProcessState.SystemTime()
	t.Logf("toplu %s: %.1f s, %.1f s of CPU, at most %d MiB resident", strings.Join(args, " "), took.Seconds(), cpu.Seconds(), most)
	return result{c.ProcessState.ExitCode(), out.String(), errs.String()}
}

// residentMiB is the most memory that a process has had resident since it was
// begun; that of its rusage is this one's, from which it was forked.
func residentMiB(pid int) int {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid)) // it may have ended
	_, rest, _ := strings.Cut(string(text), "VmHWM:")
	kib := 0
	_, _ = fmt.Sscan(rest, &kib)
	return kib >> 10
}
