//go:build integration

package e2e_test

import (
	"os"
	"testing"

	"github.com/toplu/toplu/internal/realparts"
)

// The program under test, built once.
var programs realparts.Programs

func TestMain(m *testing.M) { os.Exit(programs.RunWith(m.Run)) }
