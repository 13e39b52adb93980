//go:build race

package simulation_test

// defaultSeeds are fewer under the race detector, which takes ten times as long.
const defaultSeeds = 300
