// 64 goroutines that share one client and ask for one text again and again. http_client_get PORT REQUESTS
package main

import (
	"bench/measure"
	"fmt"
	"io"
	"net/http"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
)

const goroutines, warmUp = 64, 640

func ask(client *http.Client, url string) error {
	response, err := client.Get(url)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	_, err = io.ReadAll(response.Body)
	return err
}

func askAll(client *http.Client, url string, requests int) {
	left := int64(requests)
	var all sync.WaitGroup
	for i := 0; i < goroutines; i++ {
		all.Add(1)
		go func() {
			defer all.Done()
			for atomic.AddInt64(&left, -1) >= 0 {
				if err := ask(client, url); err != nil {
					fmt.Fprintln(os.Stderr, err)
					os.Exit(1)
				}
			}
		}()
	}
	all.Wait()
}

func main() {
	runtime.GOMAXPROCS(1)
	url := fmt.Sprintf("http://127.0.0.1:%d/plaintext", measure.Argument(1, 0))
	requests := measure.Argument(2, 10000)
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: goroutines}}
	askAll(client, url, warmUp)
	started := measure.CPUSeconds()
	askAll(client, url, requests)
	measure.Print("http_client_get", (measure.CPUSeconds()-started)*1e6/float64(requests))
}
