// Processor time of a GET over HTTP/2, of which 64 at once share one connection. client_h2 REQUESTS URL CERTIFICATE
package main

import (
	"bench/measure"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net/http"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
)

const atOnce = 64

func get(client *http.Client, url string) {
	answer, err := client.Get(url)
	if err != nil || answer.StatusCode != 200 || answer.ProtoMajor != 2 {
		os.Exit(1)
	}
	defer answer.Body.Close()
	if _, err := io.ReadAll(answer.Body); err != nil {
		os.Exit(1)
	}
}

func getMany(client *http.Client, url string, requests int) {
	var all sync.WaitGroup
	left := int64(requests)
	for i := 0; i < atOnce; i++ {
		all.Add(1)
		go func() {
			defer all.Done()
			for atomic.AddInt64(&left, -1) >= 0 {
				get(client, url)
			}
		}()
	}
	all.Wait()
}

func main() {
	requests := measure.Argument(1, 100000)
	runtime.GOMAXPROCS(1)
	roots := x509.NewCertPool()
	pem, err := os.ReadFile(os.Args[3])
	if err != nil || !roots.AppendCertsFromPEM(pem) {
		os.Exit(1)
	}
	client := &http.Client{Transport: &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: roots}, ForceAttemptHTTP2: true, MaxConnsPerHost: 1}}
	getMany(client, os.Args[2], requests/10)
	started := measure.CPUSeconds()
	getMany(client, os.Args[2], requests)
	measure.Print("client_h2", (measure.CPUSeconds()-started)*1e6/float64(requests))
}
