package e2e

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
)

// KcatFormat is the format (-f) in which [Reader] takes records from kcat:
// place, lengths and headers in a line, then key and value as they are.
const KcatFormat = `%p %o %K %S %h\x1e\n%k%s\n`

// A Record is a record of a topic as kcat shows it.
type Record struct {
	Partition int
	Offset    int64
	Key       []byte   // nil if it has none
	Value     []byte   // nil if it has none
	Headers   []string // "name=value", in order
}

// Header returns the value of a header, "" if it is not there.
func (r *Record) Header(name string) string {
	for _, h := range r.Headers {
		if value, ok := strings.CutPrefix(h, name+"="); ok {
			return value
		}
	}
	return ""
}

// kcat puts commas between headers, and values may hold commas too.
var betweenHeaders = regexp.MustCompile(`,(ce_[a-z]+|toplu-[a-z-]+|content-type|x-[a-z]+)=`)

// A Reader reads what kcat writes in [KcatFormat].
type Reader struct{ in *bufio.Reader }

// NewReader returns a Reader of kcat's standard output.
func NewReader(in io.Reader) *Reader { return &Reader{bufio.NewReaderSize(in, 1<<20)} }

// Next returns the next record, and [io.EOF] after the last.
func (r *Reader) Next() (Record, error) {
	var head []byte
	for !bytes.HasSuffix(head, []byte("\x1e\n")) {
		line, err := r.in.ReadBytes('\n')
		head = append(head, line...)
		if err != nil {
			if len(head) == 0 && errors.Is(err, io.EOF) {
				return Record{}, io.EOF
			}
			return Record{}, fmt.Errorf("kcat's answer is cut off: %w", err)
		}
	}
	fields := strings.SplitN(string(head[:len(head)-2]), " ", 5)
	if len(fields) != 5 {
		return Record{}, fmt.Errorf("kcat answers %q", head)
	}
	var numbers [4]int64
	for i := range numbers {
		var err error
		if numbers[i], err = strconv.ParseInt(fields[i], 10, 64); err != nil {
			return Record{}, err
		}
	}
	rec := Record{Partition: int(numbers[0]), Offset: numbers[1], Headers: splitHeaders(fields[4])}
	var err error
	if rec.Key, err = r.bytes(numbers[2]); err != nil {
		return rec, err
	}
	if rec.Value, err = r.bytes(numbers[3]); err != nil {
		return rec, err
	}
	_, err = r.in.Discard(1)
	return rec, err
}

func (r *Reader) bytes(n int64) ([]byte, error) {
	if n < 0 {
		return nil, nil
	}
	b := make([]byte, n)
	_, err := io.ReadFull(r.in, b)
	return b, err
}

func splitHeaders(text string) []string {
	if text == "" {
		return nil
	}
	var all []string
	begin := 0
	for _, at := range betweenHeaders.FindAllStringIndex(text, -1) {
		all = append(all, text[begin:at[0]])
		begin = at[0] + 1
	}
	return append(all, text[begin:])
}
