//go:build !race

package simulation_test

// defaultSeeds are run when nobody says how many.
const defaultSeeds = 2000
