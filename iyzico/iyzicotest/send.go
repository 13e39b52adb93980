package iyzicotest

import (
	"net/http"
	"strconv"
	"time"
)

const errorPage = "<!DOCTYPE html><html><head><title>Error</title></head><body><h1>Something went wrong</h1></body></html>\n"

// send gives an answer the way it travels. A cut connection is one that the
// server closes without a word, which is what aborting a handler does.
func send(w http.ResponseWriter, r *http.Request, a *Answer, op Op, locale string) {
	if a.Delay > 0 {
		t := time.NewTimer(a.Delay)
		defer t.Stop()
		select {
		case <-t.C:
		case <-r.Context().Done():
			return
		}
	}
	switch a.Delivery {
	case Lost:
		panic(http.ErrAbortHandler)
	case Page:
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.WriteHeader(a.HTTPStatus)
		_, _ = w.Write([]byte(errorPage))
	case Redirect:
		http.Redirect(w, r, r.URL.RequestURI(), a.HTTPStatus) //nolint:gosec // to itself, which is the fault asked for
	case Whole, Truncated:
		body := a.AppendJSON(make([]byte, 0, 256+400*len(a.Items)), op, locale)
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		w.WriteHeader(a.HTTPStatus)
		if a.Delivery == Truncated {
			_, _ = w.Write(body[:len(body)/2])        //nolint:gosec // JSON, as the next one
			_ = http.NewResponseController(w).Flush() // where it cannot, the body is just missing
			panic(http.ErrAbortHandler)
		}
		_, _ = w.Write(body) //nolint:gosec // JSON by its content type, whatever is in it
	}
}
