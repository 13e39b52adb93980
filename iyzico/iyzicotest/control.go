package iyzicotest

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
)

// control adds the simulator's own endpoints. They need no signature: the
// simulator belongs on a machine where nobody else calls.
func (s *Server) control() {
	s.mux.HandleFunc("GET /_simulator/books", s.getBooks)
	s.mux.HandleFunc("GET /_simulator/faults", s.getFaults)
	s.mux.HandleFunc("POST /_simulator/faults", s.postFaults)
	s.mux.HandleFunc("POST /_simulator/deposit", s.postDeposit)
	s.mux.HandleFunc("POST /_simulator/reset", s.postReset)
}

// getBooks streams the books, as there may be millions of transfers.
func (s *Server) getBooks(w http.ResponseWriter, _ *http.Request) {
	books := s.provider.Books()
	w.Header().Set("Content-Type", "application/json")
	out := bufio.NewWriterSize(w, 64<<10)
	defer func() { _ = out.Flush() }()

	var total Money
	line := append([]byte(nil), `{"transfers":[`...)
	first := true
	for t := range books.Transfers {
		if !first {
			line = append(line, ',')
		}
		first = false
		total += t.Amount
		line = t.append(line)
		if _, err := out.Write(line); err != nil {
			return // the caller has gone
		}
		line = line[:0]
	}
	line = append(line, `],"calls":{`...)
	for i, op := range ops {
		if i > 0 {
			line = append(line, ',')
		}
		line = appendString(line, string(op))
		line = append(line, ':')
		line = strconv.AppendInt(line, int64(books.Calls[op]), 10)
	}
	line = append(line, `},"batches":[`...)
	for i := range books.Batches {
		if i > 0 {
			line = append(line, ',')
		}
		line = books.Batches[i].append(line)
	}
	line = append(line, `],"accounts":[`...)
	for i, acct := range books.Accounts {
		if i > 0 {
			line = append(line, ',')
		}
		line = append(line, `{"apiKey":`...)
		line = appendString(line, acct.APIKey)
		line = append(line, `,"balance":"`...)
		line = acct.Balance.append(line, 2)
		line = append(line, `"}`...)
	}
	line = append(line, `],"totals":{"transfers":`...)
	line = strconv.AppendInt(line, int64(books.Count), 10)
	line = append(line, `,"amount":"`...)
	line = total.append(line, 2)
	line = append(line, "\"}}\n"...)
	_, _ = out.Write(line)
}

func (t *Transfer) append(b []byte) []byte {
	b = append(b, `{"apiKey":`...)
	b = appendString(b, t.APIKey)
	b = append(b, `,"itemExternalId":`...)
	b = appendString(b, t.ItemExternalID)
	b = append(b, `,"externalId":`...)
	b = appendString(b, t.ExternalID)
	b = append(b, `,"requestId":`...)
	b = appendString(b, t.RequestID)
	b = append(b, `,"amount":"`...)
	b = t.Amount.append(b, 2)
	b = append(b, `","currency":`...)
	b = appendString(b, t.Currency)
	b = append(b, `,"status":`...)
	b = appendString(b, t.Status.String())
	return append(b, '}')
}

func (e *BatchEntry) append(b []byte) []byte {
	b = append(b, `{"apiKey":`...)
	b = appendString(b, e.APIKey)
	b = append(b, `,"externalId":`...)
	b = appendString(b, e.ExternalID)
	b = append(b, `,"requestId":`...)
	b = appendString(b, e.RequestID)
	b = append(b, `,"status":`...)
	b = appendString(b, e.Status.String())
	b = append(b, `,"items":{`...)
	first := true
	for status := range itemStatuses {
		if n := e.Items[ItemStatus(status)]; n > 0 {
			if !first {
				b = append(b, ',')
			}
			first = false
			b = appendString(b, ItemStatus(status).String())
			b = append(b, ':')
			b = strconv.AppendInt(b, int64(n), 10)
		}
	}
	return append(b, `}}`...)
}

func (s *Server) getFaults(w http.ResponseWriter, _ *http.Request) {
	reply(w, http.StatusOK, s.provider.Faults())
}

func (s *Server) postFaults(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
	if err != nil {
		refuse(w, err)
		return
	}
	faults, err := ParseFaults(body)
	if err != nil {
		refuse(w, err)
		return
	}
	switch key := r.URL.Query().Get("apiKey"); {
	case key == "":
		s.provider.SetFaults(faults)
	case s.merchants[key] == "":
		refuse(w, errors.New("no merchant has this apiKey"))
		return
	default:
		s.provider.SetFaultsOf(key, faults)
	}
	reply(w, http.StatusOK, faults)
}

func (s *Server) postDeposit(w http.ResponseWriter, r *http.Request) {
	var deposit struct {
		APIKey string `json:"apiKey"`
		Amount string `json:"amount"`
	}
	var amount Money
	err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<20)).Decode(&deposit)
	if err == nil {
		err = amount.UnmarshalText([]byte(deposit.Amount))
	}
	if _, known := s.merchants[deposit.APIKey]; err != nil || !known {
		refuse(w, errors.New(`want {"apiKey":"…","amount":"100.00"} with a known key`))
		return
	}
	s.provider.Deposit(deposit.APIKey, amount)
	reply(w, http.StatusOK, struct{}{})
}

func (s *Server) postReset(w http.ResponseWriter, _ *http.Request) {
	s.provider.Reset()
	reply(w, http.StatusOK, struct{}{})
}

func refuse(w http.ResponseWriter, err error) {
	reply(w, http.StatusBadRequest, struct {
		Error string `json:"error"`
	}{err.Error()})
}

func reply(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the caller has gone
}
