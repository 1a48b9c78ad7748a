// A server against Go's net/http: main PORT TLS-PORT CERTIFICATE
package main

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
)

func check(held bool, what ...interface{}) {
	if !held {
		fmt.Println("does not hold:", fmt.Sprint(what...))
		os.Exit(1)
	}
}

func ask(client *http.Client, method, url string, body io.Reader) (*http.Response, []byte) {
	request, err := http.NewRequest(method, url, body)
	check(err == nil, err)
	answer, err := client.Do(request)
	check(err == nil, err)
	content, err := io.ReadAll(answer.Body)
	check(err == nil, err)
	answer.Body.Close()
	return answer, content
}

func walk(client *http.Client, base string, major int) {
	answer, content := ask(client, "GET", base+"/", nil)
	check(answer.StatusCode == 200 && string(content) == "Hello, World!", answer.Status, string(content))
	check(answer.ProtoMajor == major, answer.Proto)
	body := bytes.Repeat([]byte("weft"), 100000)
	_, content = ask(client, "POST", base+"/echo", bytes.NewReader(body))
	check(bytes.Equal(content, body), "the body comes back")
	_, content = ask(client, "PUT", base+"/count", io.LimitReader(neverEnding('\x01'), 3000000))
	check(string(content) == "3000000 3000000", string(content))
	_, content = ask(client, "GET", base+"/pieces", nil)
	check(strings.HasSuffix(string(content), "line 999\n"), "pieces, decompressed")
	answer, _ = ask(client, "DELETE", base+"/", nil)
	check(answer.StatusCode == 405, answer.Status)
	answer, _ = ask(client, "POST", base+"/echo", bytes.NewReader(make([]byte, 2<<20)))
	check(answer.StatusCode == 413, answer.Status)
	var all sync.WaitGroup
	for i := 0; i < 200; i++ {
		all.Add(1)
		go func(i int) {
			defer all.Done()
			text := strings.Repeat(fmt.Sprint(i), 500)
			_, content := ask(client, "POST", base+"/echo", strings.NewReader(text))
			check(string(content) == text, i)
		}(i)
	}
	all.Wait()
}

type neverEnding byte

func (b neverEnding) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(b)
	}
	return len(p), nil
}

func main() {
	pem, err := os.ReadFile(os.Args[3])
	check(err == nil, err)
	pool := x509.NewCertPool()
	check(pool.AppendCertsFromPEM(pem), "the certificate")
	walk(&http.Client{}, "http://127.0.0.1:"+os.Args[1], 1)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, ForceAttemptHTTP2: true}
	walk(&http.Client{Transport: transport}, "https://localhost:"+os.Args[2], 2)
	fmt.Println("as it should be")
}
