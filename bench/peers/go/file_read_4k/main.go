// 32 goroutines read blocks of 4 KiB anywhere in a file that is in the page cache. file_read_4k READS
package main

import (
	"bench/measure"
	"os"
	"runtime"
	"sync"
	"time"
)

const block, blocks, readers = 4096, 16384, 32

func main() {
	reads := measure.Argument(1, 1000000)
	runtime.GOMAXPROCS(1)
	file, err := os.CreateTemp("", "weft-bench-")
	if err != nil {
		os.Exit(1)
	}
	os.Remove(file.Name())
	for i := 0; i < blocks; i++ {
		file.Write(make([]byte, block))
	}
	var all sync.WaitGroup
	started := time.Now()
	for i := 0; i < readers; i++ {
		all.Add(1)
		go func(random uint32) {
			defer all.Done()
			buffer := make([]byte, block)
			for n := 0; n < reads/readers; n++ {
				random ^= random << 13
				random ^= random >> 17
				random ^= random << 5
				if _, err := file.ReadAt(buffer, int64(random%blocks)*block); err != nil {
					os.Exit(1)
				}
			}
		}(uint32(i) + 1)
	}
	all.Wait()
	measure.Print("file_read_4k", float64(time.Since(started).Nanoseconds())/float64(reads))
}
