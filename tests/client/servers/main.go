// A server of Go's net/http: main ADDRESS [CERTIFICATE KEY]
package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
)

func main() {
	large := strings.Repeat("0123456789abcdef", 65536)
	http.HandleFunc("/text", func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "hello") })
	http.HandleFunc("/large", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", fmt.Sprint(len(large)))
		io.WriteString(w, large)
	})
	http.HandleFunc("/chunks", func(w http.ResponseWriter, r *http.Request) {
		for i := 0; i < 100; i++ {
			io.WriteString(w, strings.Repeat("x", 1000))
			w.(http.Flusher).Flush()
		}
	})
	http.HandleFunc("/echo", func(w http.ResponseWriter, r *http.Request) { io.Copy(w, r.Body) })
	var err error
	if len(os.Args) > 3 {
		err = http.ListenAndServeTLS(os.Args[1], os.Args[2], os.Args[3], nil)
	} else {
		err = http.ListenAndServe(os.Args[1], nil)
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
