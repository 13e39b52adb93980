// Command costplot draws what a payout costs against how many there are, as SVG,
// from reports of toplu bench --json:
//
//	go run ./costplot n10k.json n100k-1.json n100k-2.json n1m.json > benchmarks.svg
//
// Reports of as many payouts make one point each; the line goes through their
// median.
package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"maps"
	"math"
	"os"
	"slices"
)

// report is what is needed of one.
type report struct {
	Life struct {
		Payouts          int     `json:"payouts"`
		PayoutsPerSecond float64 `json:"payoutsPerSecond"`
		CPU              float64 `json:"cpuMicrosPerPayout"`
	} `json:"life"`
}

// A line is one way to count the cost: µs by number of payouts.
type line struct {
	name, colour string
	of           map[int][]float64
}

func main() {
	log.SetFlags(0)
	wall := line{"time", "#1f77b4", map[int][]float64{}}
	cpu := line{"CPU of the service", "#d62728", map[int][]float64{}}
	for _, name := range os.Args[1:] {
		text, err := os.ReadFile(name)
		if err != nil {
			log.Fatal(err)
		}
		var r report
		if err := json.Unmarshal(text, &r); err != nil || r.Life.Payouts == 0 || r.Life.PayoutsPerSecond == 0 {
			log.Fatalf("%s is no report of toplu bench --json with a life in it: %v", name, err)
		}
		n := r.Life.Payouts
		wall.of[n] = append(wall.of[n], 1e6/r.Life.PayoutsPerSecond)
		cpu.of[n] = append(cpu.of[n], r.Life.CPU)
	}
	if len(wall.of) < 2 {
		log.Fatal("give it reports of at least two numbers of payouts")
	}
	draw(os.Stdout, []line{wall, cpu})
}

// The picture, and the field in it.
const (
	width, height             = 640, 300
	left, right, top, bottom  = 50, 620, 20, 260
	font                      = `font-family="sans-serif" font-size="12" fill="#444"`
	microsPerStep, stepsAbove = 10, 1
)

func draw(w io.Writer, lines []line) {
	numbers := slices.Sorted(maps.Keys(lines[0].of))
	most := 0.0
	for _, l := range lines {
		for _, values := range l.of {
			most = max(most, slices.Max(values))
		}
	}
	most = microsPerStep * (math.Floor(most/microsPerStep) + stepsAbove)
	least, last := math.Log(float64(numbers[0])), math.Log(float64(numbers[len(numbers)-1]))
	x := func(n int) float64 { return left + 20 + (right-left-40)*(math.Log(float64(n))-least)/(last-least) }
	y := func(micros float64) float64 { return bottom - (bottom-top)*micros/most }

	fmt.Fprintf(w, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" role="img">`+"\n", width, height)
	fmt.Fprintln(w, `<title>µs a payout, against the number of payouts</title>`)
	fmt.Fprintf(w, `<rect width="%d" height="%d" fill="#fff"/>`+"\n", width, height)
	for micros := 0.0; micros <= most; micros += microsPerStep {
		fmt.Fprintf(w, `<path d="M%d %.0fH%d" stroke="#ddd"/><text x="%d" y="%.0f" text-anchor="end" %s>%.0f</text>`+"\n", left, y(micros), right, left-6, y(micros)+4, font, micros)
	}
	for _, n := range numbers {
		fmt.Fprintf(w, `<text x="%.0f" y="%d" text-anchor="middle" %s>%s</text>`+"\n", x(n), bottom+18, font, thousands(n))
	}
	fmt.Fprintf(w, `<text x="%d" y="%d" text-anchor="middle" %s>payouts</text>`+"\n", (left+right)/2, bottom+34, font)
	for i, l := range lines {
		path := "M"
		for _, n := range numbers {
			values := slices.SortedFunc(slices.Values(l.of[n]), cmp.Compare)
			path += fmt.Sprintf("%.1f %.1f ", x(n), y(values[len(values)/2]))
			for _, v := range values {
				fmt.Fprintf(w, `<circle cx="%.1f" cy="%.1f" r="3" fill="%s"/>`+"\n", x(n), y(v), l.colour)
			}
		}
		fmt.Fprintf(w, `<path d="%s" fill="none" stroke="%s" stroke-width="1.5"/>`+"\n", path, l.colour)
		fmt.Fprintf(w, `<text x="%d" y="%d" font-family="sans-serif" font-size="12" fill="%s">%s, µs a payout</text>`+"\n", left+10, top+14+16*i, l.colour, l.name)
	}
	fmt.Fprintln(w, `</svg>`)
}

// thousands writes a number with its thousands apart.
func thousands(n int) string {
	if n < 1000 {
		return fmt.Sprint(n)
	}
	return fmt.Sprintf("%s,%03d", thousands(n/1000), n%1000)
}
