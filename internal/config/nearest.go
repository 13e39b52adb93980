package config

import "strings"

// nearest returns the key that an unknown one was probably meant to be, or "".
func nearest(name string) string {
	best, least := "", 2+len(name)/5
	var sameEnd []string
	for _, known := range spellings(name) {
		if d := distance(strings.ToLower(name), strings.ToLower(known)); d < least {
			best, least = known, d
		}
		if strings.EqualFold(lastPart(name), lastPart(known)) {
			sameEnd = append(sameEnd, known)
		}
	}
	if best == "" && len(sameEnd) == 1 { // right key, wrong section
		return sameEnd[0]
	}
	return best
}

// spellings lists every key, secret files included, with the merchant that
// name is about.
func spellings(name string) []string {
	merchant := "<name>"
	if rest, ok := strings.CutPrefix(name, merchantPrefix); ok {
		merchant, _, _ = strings.Cut(rest, ".")
	}
	var all []string
	for i := range keys {
		k := strings.Replace(keys[i].name, "*", merchant, 1)
		all = append(all, k)
		if keys[i].secret {
			all = append(all, k+"File")
		}
	}
	return all
}

func lastPart(name string) string { return name[strings.LastIndex(name, ".")+1:] }

// distance is the number of letters to insert, drop or replace to make b of a.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}
