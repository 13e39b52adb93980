package app

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"regexp"
	"slices"
	"strings"
)

// A csvRequest is a row of a CSV file as the data of a request.
type csvRequest struct {
	PayoutID    string            `json:"payoutId"`
	Merchant    string            `json:"merchant,omitempty"`
	Purpose     string            `json:"purpose,omitempty"`
	Recipient   csvRecipient      `json:"recipient"`
	Amount      csvAmount         `json:"amount"`
	Description string            `json:"description,omitempty"`
	Metadata    map[string]string `json:"metadata,omitempty"`
}

type csvRecipient struct {
	Type  string `json:"type"`
	Value string `json:"value"`
	Name  string `json:"name,omitempty"`
}

type csvAmount struct {
	Value    string `json:"value"`
	Currency string `json:"currency"`
}

// A column is where a cell goes.
type column struct {
	name     string
	required bool
	field    func(*csvRequest) *string
}

const metadataPrefix = "metadata."

var csvColumns = []column{
	{"payoutId", true, func(r *csvRequest) *string { return &r.PayoutID }},
	{"merchant", false, func(r *csvRequest) *string { return &r.Merchant }},
	{"purpose", false, func(r *csvRequest) *string { return &r.Purpose }},
	{"recipientType", true, func(r *csvRequest) *string { return &r.Recipient.Type }},
	{"recipientValue", true, func(r *csvRequest) *string { return &r.Recipient.Value }},
	{"recipientName", false, func(r *csvRequest) *string { return &r.Recipient.Name }},
	{"amount", true, func(r *csvRequest) *string { return &r.Amount.Value }},
	{"currency", true, func(r *csvRequest) *string { return &r.Amount.Currency }},
	{"description", false, func(r *csvRequest) *string { return &r.Description }},
}

// csvRows takes a row a request. The header names the columns, in any order.
func csvRows(input []byte) (iter.Seq[row], error) {
	comma := separator(input)
	reader := func(input []byte) *csv.Reader {
		r := csv.NewReader(bytes.NewReader(input))
		r.Comma, r.TrimLeadingSpace = comma, true
		return r
	}
	r := reader(input)
	header, err := r.Read()
	switch {
	case errors.Is(err, io.EOF):
		return nil, errors.New("there is nothing in it")
	case err != nil:
		return nil, fmt.Errorf("the header cannot be read: %w", err)
	}
	header = slices.Clone(header)
	if err := checkHeader(header); err != nil {
		return nil, err
	}
	return func(yield func(row) bool) {
		for r, before := r, 0; ; { // lines before those that r reads
			cells, err := r.Read()
			if errors.Is(err, io.EOF) {
				return
			}
			next := csvRow(r, header, cells, err)
			next.line += before
			if broken, ok := errors.AsType[*csv.ParseError](err); ok && errors.Is(err, csv.ErrQuote) && broken.Line > broken.StartLine {
				next.err = errors.New(`has a quote (") that is not closed in its line, or not followed by a separator`)
				// The lines behind it were taken for one cell: they are read again.
				before = next.line
				r = reader(behind(input, before))
				r.FieldsPerRecord = len(header)
			}
			if !yield(next) {
				return
			}
		}
	}, nil
}

// behind is the input without its first lines.
func behind(input []byte, lines int) []byte {
	for range lines {
		_, input, _ = bytes.Cut(input, []byte("\n"))
	}
	return input
}

// separator is a semicolon where the header is written with it, as
// spreadsheets do in countries with a decimal comma.
func separator(input []byte) rune {
	header, _, _ := bytes.Cut(input, []byte("\n"))
	if bytes.ContainsRune(header, ';') && !bytes.ContainsRune(header, ',') {
		return ';'
	}
	return ','
}

// commaAmount is an amount as spreadsheets write it where the decimal sign is a
// comma. Anything with points or more decimals could be read in two ways, and is
// refused like any amount that is none.
var commaAmount = regexp.MustCompile(`^[0-9]+,[0-9]{1,2}$`)

// pointAmount makes a point of the decimal comma in a row's amount.
func pointAmount(header, cells []string) {
	if at := slices.Index(header, "amount"); at >= 0 && commaAmount.MatchString(cells[at]) {
		cells[at] = strings.Replace(cells[at], ",", ".", 1)
	}
}

// checkHeader names everything that is wrong with the columns.
func checkHeader(header []string) error {
	var known, problems []string
	for _, c := range csvColumns {
		known = append(known, c.name)
		if c.required && !slices.Contains(header, c.name) {
			problems = append(problems, "there is no column "+c.name)
		}
	}
	for i, name := range header {
		switch {
		case slices.Contains(header[:i], name):
			problems = append(problems, fmt.Sprintf("column %q is there twice", name))
		case !slices.Contains(known, name) && (!strings.HasPrefix(name, metadataPrefix) || name == metadataPrefix):
			problems = append(problems, fmt.Sprintf("column %q is not known", name))
		}
	}
	if len(problems) == 0 {
		return nil
	}
	return fmt.Errorf("the header is wrong: %s; the columns are %s and %sNAME", strings.Join(problems, "; "), strings.Join(known, ", "), metadataPrefix)
}

// csvRow makes the data of a request of one row. Empty cells of optional
// columns are as good as none.
func csvRow(r *csv.Reader, header, cells []string, err error) row {
	var broken *csv.ParseError
	switch {
	case errors.As(err, &broken) && errors.Is(err, csv.ErrFieldCount):
		return row{line: broken.StartLine, err: fmt.Errorf("has %d columns, and the header has %d", len(cells), len(header))}
	case errors.As(err, &broken):
		return row{line: broken.StartLine, err: broken.Err}
	case err != nil:
		return row{err: err}
	}
	line, _ := r.FieldPos(0)
	if r.Comma == ';' {
		pointAmount(header, cells)
	}
	var request csvRequest
	for i, name := range header {
		if key, ok := strings.CutPrefix(name, metadataPrefix); ok {
			if cells[i] != "" {
				if request.Metadata == nil {
					request.Metadata = map[string]string{}
				}
				request.Metadata[key] = cells[i]
			}
			continue
		}
		at := slices.IndexFunc(csvColumns, func(c column) bool { return c.name == name })
		*csvColumns[at].field(&request) = cells[i]
	}
	data, err := json.Marshal(request)
	return row{line: line, data: data, err: err}
}
