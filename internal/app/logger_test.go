package app

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"

	"github.com/toplu/toplu/internal/config"
)

func TestLogger(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	log, err := newLogger(config.Log{Level: "warn", Format: "json"}, &out)
	if err != nil {
		t.Fatal(err)
	}
	log.Info().Msg("not shown")
	log.Warn().Str("batch", "b1").Msg("look at this")
	var line struct {
		Level   string    `json:"level"`
		Time    time.Time `json:"time"`
		Batch   string    `json:"batch"`
		Message string    `json:"message"`
	}
	if err := json.Unmarshal(out.Bytes(), &line); err != nil {
		t.Fatalf("%v: %s", err, out.Bytes())
	}
	if line.Level != "warn" || line.Batch != "b1" || line.Message != "look at this" || time.Since(line.Time) > time.Minute || line.Time.Location() != time.UTC {
		t.Errorf("got %+v", line)
	}
	out.Reset()
	log, err = newLogger(config.Log{Level: "debug", Format: "console"}, &out)
	if err != nil {
		t.Fatal(err)
	}
	log.Debug().Msg("for people")
	if !bytes.Contains(out.Bytes(), []byte("DBG for people")) || bytes.ContainsRune(out.Bytes(), '\x1b') {
		t.Errorf("got %q", out.Bytes())
	}
}
