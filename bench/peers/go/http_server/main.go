// net/http on one processor. Prints its port, serves until it is ended. http_server [CERTIFICATE KEY]
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/mail"
	"os"
	"runtime"
	"strconv"
)

type order struct {
	CustomerEmail string  `json:"customer_email"`
	Quantity      int64   `json:"quantity"`
	Price         float64 `json:"price"`
	Note          string  `json:"note,omitempty"`
}

func (o *order) isGood() bool {
	_, err := mail.ParseAddress(o.CustomerEmail)
	return err == nil && o.Quantity >= 1 && o.Quantity <= 1000 && o.Price > 0 && len(o.Note) <= 500
}

func hello(writer http.ResponseWriter, request *http.Request) {
	writer.Header().Set("Content-Type", "text/plain; charset=utf-8")
	io.WriteString(writer, "Hello, World!")
}

func takeOrder(writer http.ResponseWriter, request *http.Request) {
	var taken order
	if err := json.NewDecoder(request.Body).Decode(&taken); err != nil || !taken.isGood() {
		http.Error(writer, "no order", http.StatusUnprocessableEntity)
		return
	}
	writer.Header().Set("Content-Type", "application/json")
	json.NewEncoder(writer).Encode(&taken)
}

func takeUpload(writer http.ResponseWriter, request *http.Request) {
	size, _ := io.Copy(io.Discard, request.Body)
	io.WriteString(writer, strconv.FormatInt(size, 10))
}

func main() {
	runtime.GOMAXPROCS(1)
	http.HandleFunc("/plaintext", hello)
	http.HandleFunc("/orders", takeOrder)
	http.HandleFunc("/upload", takeUpload)
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	if len(os.Args) > 2 {
		panic(http.ServeTLS(listener, nil, os.Args[1], os.Args[2]))
	}
	panic(http.Serve(listener, nil))
}
