// A large file, thrown away as it comes. http_client_download PORT MEGABYTES
package main

import (
	"bench/measure"
	"fmt"
	"net/http"
	"os"
	"runtime"
)

func main() {
	runtime.GOMAXPROCS(1)
	wanted := int64(measure.Argument(2, 1024)) << 20
	request, err := http.NewRequest("GET", fmt.Sprintf("http://127.0.0.1:%d/large/file", measure.Argument(1, 0)), nil)
	if err != nil {
		os.Exit(1)
	}
	request.Header.Set("Range", fmt.Sprintf("bytes=0-%d", wanted-1))
	started := measure.CPUSeconds()
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	buffer, size := make([]byte, 65536), int64(0)
	for {
		got, err := response.Body.Read(buffer)
		size += int64(got)
		if err != nil {
			break
		}
	}
	if size != wanted {
		os.Exit(1)
	}
	measure.Print("http_client_download", (measure.CPUSeconds()-started)*1e3)
}
